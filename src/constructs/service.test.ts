import { describe, expect, test } from "vitest";
import { mistakesOf, synthFleet } from "../../test/support/synth-fleet.ts";
import { type Fleet, Host, Hosts, Pod, Service, type ServiceProps, Volume } from "../index.ts";

const NAMES = ["a", "b", "c", "d"];
const containers = { web: { image: "web:1" } };

function hosts(fleet: Fleet, names: readonly string[] = NAMES): readonly Host[] {
  return names.map(
    (name) =>
      new Host(fleet, name, {
        address: `ssh://${name}`,
        labels: { even: String(name > "b"), name },
      }),
  );
}

/** Pods by host, where there are any. */
function placed(props: Omit<ServiceProps, "containers">, names?: readonly string[]) {
  const { manifest } = synthFleet((fleet) => {
    hosts(fleet, names);
    new Service(fleet, "web", { containers, ...props });
  });
  return Object.fromEntries(
    Object.entries(manifest.hosts)
      .map(([name, host]) => [name, Object.keys(host.pods ?? {})] as const)
      .filter(([, pods]) => pods.length > 0),
  );
}

describe("a service", () => {
  test("has a pod on each host that it chooses", () => {
    expect(placed({ on: Hosts.all() })).toEqual({ a: ["web"], b: ["web"], c: ["web"], d: ["web"] });
    expect(placed({ on: Hosts.named("b", "d") })).toEqual({ b: ["web"], d: ["web"] });
    expect(placed({ on: Hosts.labelled({ even: "true" }) })).toEqual({ c: ["web"], d: ["web"] });
    expect(placed({ on: Hosts.labelled({ even: "true", name: "c" }) })).toEqual({ c: ["web"] });
  });

  test("spreads its replicas evenly, and numbers those that share a host", () => {
    const counts = (replicas: number) =>
      Object.values(placed({ on: Hosts.all(), replicas }))
        .map((pods) => pods.length)
        .sort();
    expect(counts(2)).toEqual([1, 1]);
    expect(counts(5)).toEqual([1, 1, 1, 2]);
    const pods = Object.values(placed({ on: Hosts.named("a"), replicas: 3 }));
    expect(pods).toEqual([["web", "web-2", "web-3"]]);
  });

  test("is spread the same with a named volume", () => {
    const { manifest } = synthFleet((fleet) => {
      hosts(fleet);
      const volume = new Volume(fleet, "data");
      const web = { image: "web:1", mounts: [{ volume, path: "/data" }] };
      new Service(fleet, "web", { on: Hosts.all(), replicas: 2, containers: { web } });
    });
    const withVolume = Object.keys(manifest.hosts).filter((name) => manifest.hosts[name]?.pods);
    expect(withVolume).toEqual(Object.keys(placed({ on: Hosts.all(), replicas: 2 })));
  });

  test("keeps where it is when a host comes that gets nothing", () => {
    const before = placed({ on: Hosts.all(), replicas: 1 }, ["a", "b", "c"]);
    const after = placed({ on: Hosts.all(), replicas: 1 }, ["a", "b", "c", "e", "f"]);
    const [was] = Object.keys(before);
    expect([was, "e", "f"]).toContain(Object.keys(after)[0]);
  });

  test.each<[string, Hosts, string]>([
    [
      "labels",
      Hosts.labelled({ role: "web" }),
      "on: no host is labelled role=web; the fleet's hosts are a (even=false, name=a), b",
    ],
    ["a name", Hosts.named("a", "x"), "on: there is no host x; the fleet's hosts are a (even"],
  ])("that finds no host by %s is a mistake", (_, on, message) => {
    const mistakes = mistakesOf((fleet) => {
      hosts(fleet);
      new Service(fleet, "web", { on, containers });
    });
    expect(mistakes).toEqual([expect.stringContaining(`shop/web: ${message}`)]);
  });

  test.each([0, -1, 1.5, Number.NaN])("cannot have %d replicas", (replicas) => {
    const mistakes = mistakesOf((fleet) => {
      hosts(fleet);
      new Service(fleet, "web", { on: Hosts.all(), containers, replicas });
    });
    expect(mistakes).toEqual([
      expect.stringContaining("shop/web: replicas: must be a whole number above 0"),
    ]);
  });

  test("waited for is its pod on the same host, or all of them where there is none", () => {
    const { manifest } = synthFleet((fleet) => {
      const [a, , c] = hosts(fleet);
      const db = new Service(fleet, "db", { on: Hosts.named("a", "b"), containers });
      const cache = new Pod(a as Host, "cache", { containers, dependsOn: [db] });
      new Pod(c as Host, "job", { containers, dependsOn: [db, cache, "a/db"] });
    });
    expect(manifest.hosts["a"]?.pods?.["cache"]?.dependsOn).toEqual(["db"]);
    expect(manifest.hosts["c"]?.pods?.["job"]?.dependsOn).toEqual(["a/cache", "a/db", "b/db"]);
  });
});
