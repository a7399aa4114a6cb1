import { describe, expect, test } from "vitest";
import {
  applied,
  hostWith,
  input,
  observed,
  record,
  fleet as worldOf,
} from "../../test/support/plan-world.ts";
import { podOf, type SimFleet } from "../../test/support/sim-fleet.ts";
import { openFleet } from "../../test/support/web-service.ts";
import { plan } from "../plan/index.ts";
import { destroyFleet } from "./destroy-fleet.ts";

type Pods = Readonly<Record<string, unknown>>;

const on = (fleet: SimFleet, a: Pods, b: Pods) => fleet.manifest({ a, b });

describe("a pod that is declared on another host", () => {
  test("stays until the new one is proven, and where that fails", async () => {
    const fleet = openFleet();
    await fleet.apply(on(fleet, { web: podOf() }, {}));
    const crashing = on(fleet, {}, { web: podOf({ command: ["sh", "-c", "exit 3"] }) });
    const { outcomes } = await fleet.apply(crashing);
    expect(outcomes.find(({ id }) => id === "b/web")?.status).not.toBe("done");
    expect(outcomes.find(({ id }) => id === "a/web")?.status).not.toBe("done");
    const running = fleet
      .machine("a")
      .read(({ pods }) => Object.values(pods).map(({ containers }) => containers["main"]?.state));
    expect(running).toEqual(["running"]);
    const manifest = on(fleet, {}, { web: podOf() });
    expect((await fleet.apply(manifest)).status).toBe("done");
    expect((await fleet.plan(manifest)).plan.pods).toEqual([]);
    expect(fleet.machine("a").read(({ pods }) => Object.keys(pods))).toEqual([]);
  });

  test("waits for nothing that waits for it", async () => {
    const port = { network: { mode: "host" }, ports: [{ host: 8080 }] } as const;
    const fleet = openFleet();
    await fleet.apply(on(fleet, { web: podOf({}, port), db: podOf() }, {}));
    // db takes over the port that the old web gives up, and the new web comes after db
    const manifest = on(
      fleet,
      { db: podOf({}, port) },
      { web: podOf({}, { dependsOn: ["a/db"] } as object) },
    );
    expect((await fleet.apply(manifest)).status).toBe("done");
    expect((await fleet.plan(manifest)).plan.pods).toEqual([]);
  });
});

describe("pods that depend on one that goes", () => {
  const running = (fleet: SimFleet, host: string) =>
    fleet
      .machine(host)
      .read(({ pods }) =>
        Object.values(pods).flatMap(({ identity, containers }) =>
          containers["main"]?.state === "running" ? [identity.pod] : [],
        ),
      )
      .sort();
  const on = (db: string, change = {}) => podOf(change, { dependsOn: [db] });
  const stops = (fleet: SimFleet) =>
    fleet.steps().filter((step) => /(?: stop| commit)$/.test(step));

  test("have it until they use the new one, and where they cannot", async () => {
    const fleet = openFleet();
    await fleet.apply(fleet.manifest({ a: { db: podOf(), web: on("db") }, b: {} }));
    const crashing = on("b/db", { command: ["sh", "-c", "exit 3"] });
    const failed = fleet.manifest({ a: { web: crashing }, b: { db: podOf() } });
    const { outcomes } = await fleet.apply(failed);
    const status = (id: string) => outcomes.find((each) => each.id === id)?.status;
    expect([status("b/db"), status("a/web"), status("a/db")]).toEqual([
      "done",
      "rolled-back",
      "skipped",
    ]);
    expect(running(fleet, "a")).toEqual(["db", "web"]);
    const works = fleet.manifest({
      a: { web: on("b/db", { env: { DB: "b" } }) },
      b: { db: podOf() },
    });
    fleet.events.length = 0;
    expect((await fleet.apply(works)).status).toBe("done");
    expect(stops(fleet)).toEqual(["a/web commit", "a/web stop", "a/db stop"]);
    expect((await fleet.plan(works)).plan.pods).toEqual([]);
  });

  test("go before it where they move together, once both are proven there", async () => {
    const fleet = openFleet();
    const pods = { db: podOf(), web: on("db") };
    await fleet.apply(fleet.manifest({ a: pods, b: {} }));
    fleet.events.length = 0;
    const manifest = fleet.manifest({ a: {}, b: pods });
    expect((await fleet.apply(manifest)).status).toBe("done");
    expect(stops(fleet)).toEqual(["b/db commit", "b/web commit", "a/web stop", "a/db stop"]);
    expect((await fleet.plan(manifest)).plan.pods).toEqual([]);
  });

  test("are removed before it, in a destroy too", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ a: { db: podOf(), api: on("db"), web: on("api") }, b: {} });
    await fleet.apply(manifest);
    fleet.events.length = 0;
    await destroyFleet({ ...fleet.applyRequest(manifest) });
    expect(stops(fleet)).toEqual(["a/web stop", "a/api stop", "a/db stop"]);
  });

  test("that take its port over do not wait for it and it for them", async () => {
    const port = { network: { mode: "host" }, ports: [{ host: 8080 }] } as const;
    const fleet = openFleet();
    const before = { db: podOf({}, port), web: on("db") };
    await fleet.apply(fleet.manifest({ a: before, b: {} }));
    const manifest = fleet.manifest({
      a: { web: podOf({}, { ...port, dependsOn: ["b/db"] }) },
      b: { db: podOf({}, port) },
    });
    expect((await fleet.apply(manifest)).status).toBe("done");
    expect((await fleet.plan(manifest)).plan.pods).toEqual([]);
  });

  test("that a job was to be done for hold nothing up", async () => {
    const job = podOf({ command: ["true"] }, { restart: { policy: "on-failure" } } as object);
    const web = podOf({}, { dependsOn: ["load:completed"] });
    const old = applied(job);
    const next = applied(web);
    const world = hostWith(
      [observed("load", old, "exited"), observed("web", next)],
      [record("load", [old]), record("web", [next])],
    );
    const made = plan(input(worldOf({}), world));
    expect(made.pods.find(({ id }) => id === "a/load")?.after).not.toContain("a/web");
  });
});
