import { TerraformVariable, Token } from "cdktf";
import { Construct } from "constructs";
import { describe, expect, test } from "vitest";
import { mistakesOf } from "../../test/support/synth-fleet.ts";
import { type Fleet, Host, Hosts, Network, Pod, Probe, Service, Size, Volume } from "../index.ts";

const web = { image: "web:1" };
const local = (fleet: Fleet, name = "a") => new Host(fleet, name, { address: `ssh://${name}` });

describe("mistakes", () => {
  test("come all at once, each at its construct with the remedy", () => {
    const mistakes = mistakesOf((fleet) => {
      new Host(fleet, "bad", { address: "nowhere" });
      const host = local(fleet);
      new Pod(host, "empty");
      new Pod(host, "web", {
        ports: [{ host: 80, container: 8080 }],
        containers: { web: { image: "a b", resources: { memory: Size.bytes(1) } } },
        dependsOn: ["wbe"],
      });
      new Service(fleet, "none", { on: Hosts.labelled({ role: "x" }), containers: { web } });
    });
    expect(mistakes.map((each) => each.replace(/; .*/, "")).sort()).toEqual([
      "shop/a/empty: containers: must have at least one container",
      "shop/a/web/web: image: must be an image reference such as ghcr.io/acme/shop:1.8.2",
      "shop/a/web/web: resources.memoryBytes: must be at least 6291456",
      'shop/a/web: dependsOn: there is no pod "wbe" on host a',
      "shop/a/web: ports[80/tcp]: a pod with network mode none cannot publish a host port",
      "shop/a/web: ports[80/tcp]: host port 80 cannot map to container port 8080: in the host's network they are the same port",
      'shop/bad: address: must be "local" or ssh://user@host:port',
      "shop/none: on: no host is labelled role=x",
    ]);
    expect(mistakes).toContainEqual(
      expect.stringContaining("set network: Network.bridge(…) (mode bridge) or Network.host()"),
    );
    expect(mistakes).toContainEqual(expect.stringContaining('did you mean "web"?'));
  });

  test("of a service's pods come once", () => {
    const mistakes = mistakesOf((fleet) => {
      for (const name of ["a", "b", "c"]) local(fleet, name);
      new Service(fleet, "web", {
        on: Hosts.all(),
        containers: { web: { ...web, health: Probe.tcp({ port: 80 }) } },
      });
    });
    expect(mistakes).toEqual([
      expect.stringContaining("shop/web/web: health: a probe of kind tcp"),
    ]);
  });

  test("name who else wants a port", () => {
    const mistakes = mistakesOf((fleet) => {
      const host = local(fleet);
      for (const name of ["web", "api"]) {
        new Pod(host, name, {
          network: Network.host(),
          ports: [{ host: 80 }],
          containers: { web },
        });
      }
    });
    const text = "ports[80/tcp]: port 80/tcp of host a is wanted by the pods web and api";
    expect(mistakes).toEqual([
      expect.stringContaining(`shop/a/web: ${text}`),
      expect.stringContaining(`shop/a/api: ${text}`),
    ]);
  });

  test.each<[string, (fleet: Fleet) => void, string]>([
    [
      "two hosts of one name",
      (fleet) => {
        local(fleet);
        new Host(new Construct(fleet, "other"), "a", { address: "local" });
      },
      'shop/a: the host "a" is declared more than once (shop/a, shop/other/a)',
    ],
    [
      "a service and a pod of one name on a host",
      (fleet) => {
        new Pod(local(fleet), "web", { containers: { web } });
        new Service(fleet, "web", { on: Hosts.all(), containers: { web } });
      },
      'shop/a/web: the pod "web" of host a is declared more than once',
    ],
    [
      "two volumes of one name on a host",
      (fleet) => {
        const host = local(fleet);
        for (const scope of [fleet, host]) {
          const volume = new Volume(scope, "data");
          new Pod(host, `of-${scope.node.id}`, {
            containers: { web: { ...web, mounts: [{ volume, path: "/data" }] } },
          });
        }
      },
      'shop/a/of-a: volumes.data: two volumes are named "data" on host a (shop/data, shop/a/data)',
    ],
    [
      "a volume of another host",
      (fleet) => {
        const volume = new Volume(local(fleet), "data");
        new Pod(local(fleet, "b"), "web", {
          containers: { web: { ...web, mounts: [{ volume, path: "/data" }] } },
        });
      },
      'shop/b/web: volumes.data: volume "data" belongs to host a, not to b',
    ],
    [
      "a dependency of another fleet",
      (fleet) => {
        const stray = { podName: "db" };
        new Pod(local(fleet), "web", { containers: { web }, dependsOn: [stray] });
      },
      'shop/a/web: dependsOn: "db" is placed on no host of this fleet',
    ],
  ])("%s", (_, declare, message) => {
    expect(mistakesOf(declare)).toEqual([expect.stringContaining(message)]);
  });

  test("a fleet without a host is one", () => {
    expect(mistakesOf(() => {})).toEqual([
      expect.stringContaining("shop: hosts: the fleet has no host"),
    ]);
  });
});

describe("a value that only Terraform knows", () => {
  test.each<[string, (fleet: Fleet, token: TerraformVariable) => void, string]>([
    [
      "the address of a host",
      (fleet, { stringValue }) => void new Host(fleet, "a", { address: `ssh://${stringValue}` }),
      "shop/a: address",
    ],
    [
      "a variable of the environment",
      (fleet, { stringValue }) =>
        void new Pod(local(fleet), "web", {
          containers: { web: { ...web, env: { A: stringValue } } },
        }),
      "shop/a/web/web: env.A",
    ],
    [
      "a list",
      (fleet, { listValue }) =>
        void new Pod(local(fleet), "web", { containers: { web: { ...web, args: listValue } } }),
      "shop/a/web/web: args",
    ],
    [
      "a number",
      (fleet, { numberValue }) =>
        void new Pod(local(fleet), "web", {
          containers: { web: { ...web, oomScoreAdj: numberValue } },
        }),
      "shop/a/web/web: oomScoreAdj",
    ],
    [
      "a value that is no text yet",
      (fleet, { value }) =>
        void new Pod(local(fleet), "web", { containers: { web: { ...web, env: { A: value } } } }),
      "shop/a/web/web: env.A",
    ],
    [
      "a number in a text",
      (fleet, { numberValue }) =>
        void new Pod(local(fleet), "web", {
          containers: { web: { ...web, env: { A: `port=${numberValue};` } } },
        }),
      "shop/a/web/web: env.A",
    ],
    [
      "a name",
      (fleet, { stringValue }) =>
        void new Pod(local(fleet), "web", { containers: { web }, labels: { [stringValue]: "1" } }),
      "shop/a/web: labels",
    ],
    [
      "a number of replicas",
      (fleet, { numberValue }) => {
        local(fleet);
        new Service(fleet, "web", { on: Hosts.all(), containers: { web }, replicas: numberValue });
      },
      "shop/web: replicas",
    ],
  ])("is refused with its attribute: %s", (_, declare, place) => {
    const mistakes = mistakesOf((fleet) =>
      declare(fleet, new TerraformVariable(fleet, "input", {})),
    );
    expect(mistakes).toEqual([expect.stringContaining(`${place}: only Terraform knows its value`)]);
  });

  test("is told from text that looks like one", () => {
    expect(Token.isUnresolved("${TfToken}")).toBe(false);
    const mistakes = mistakesOf((fleet) => {
      const env = { A: "${var.x}", B: "-1.5e+289 1e+300 -1.7976931348623157e+308" };
      new Pod(local(fleet), "web", { containers: { web: { ...web, env } } });
    });
    expect(mistakes).toEqual([]);
  });
});
