import { describe, expect, test } from "vitest";
import { fileOf, podsOf, ROSTER, recordOf } from "../../test/support/applied-fleet.ts";
import { IMAGE, OTHER_IMAGE, podOf } from "../../test/support/sim-fleet.ts";
import { openFleet } from "../../test/support/web-service.ts";
import { StowageError } from "../errors/index.ts";
import { isConverged } from "../plan/index.ts";

describe("applyFleet()", () => {
  test("brings a fleet up, after which the plan is empty and the roster and record are there", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: podOf() }, beta: { web: podOf() } });
    const report = await fleet.apply(manifest);
    expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
    expect(report.status).toBe("done");
    expect(recordOf(fleet)).toMatchObject({ current: 1, appliedBy: "tester@here", host: "alpha" });
    expect(JSON.parse(fileOf(fleet, ROSTER) ?? "")).toMatchObject({
      manager: "cli",
      hosts: { alpha: { engine: "sim" }, beta: { engine: "sim" } },
    });
    const { plan } = await fleet.plan(manifest);
    expect(isConverged(plan)).toBe(true);
  });

  test("has nothing to do the second time, and asks nobody", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: podOf() } });
    await fleet.apply(manifest);
    const again = await fleet.apply(manifest, {
      confirm: () => Promise.reject(new Error("asked")),
    });
    expect(again.status).toBe("converged");
  });

  test("touches nothing when the user says no", async () => {
    const fleet = openFleet();
    const report = await fleet.apply(fleet.manifest({ alpha: { web: podOf() } }), {
      confirm: async () => false,
    });
    expect(report.status).toBe("declined");
    expect(podsOf(fleet)).toEqual([]);
    expect(fileOf(fleet, ROSTER)).toBeUndefined();
  });

  test("replaces a pod, keeps only the new generation, and gives the lock back", async () => {
    const fleet = openFleet();
    await fleet.apply(fleet.manifest({ alpha: { web: podOf() } }));
    const changed = fleet.manifest({ alpha: { web: podOf({ image: OTHER_IMAGE }) } });
    expect((await fleet.apply(changed)).status).toBe("done");
    expect(podsOf(fleet)).toHaveLength(1);
    expect(recordOf(fleet)).toMatchObject({ current: 2, generations: [{ generation: 2 }] });
    expect(isConverged((await fleet.plan(changed)).plan)).toBe(true);
    const lock = fleet
      .machine()
      .read((state) => Object.keys(state.files).filter((path) => path.includes("/lock/")));
    expect(lock).toEqual(["/run/stowage/lock/2.json"]);
    expect(JSON.parse(fileOf(fleet, "/run/stowage/lock/2.json") ?? "")).toMatchObject({
      released: true,
    });
  });

  test("stops the old generation as it was declared, though the new one is the recorded one by then", async () => {
    const fleet = openFleet("virtual");
    const command = ["sh", "-c", "trap '' TERM; while true; do sleep 1000; done"];
    const stubborn = (image: string) => podOf({ image, command, stopSignal: "SIGKILL" });
    await fleet.apply(fleet.manifest({ alpha: { web: stubborn(IMAGE) } }));
    const nowMs = () => fleet.machine().read((_, now) => now);
    const before = nowMs();
    await fleet.apply(fleet.manifest({ alpha: { web: stubborn(OTHER_IMAGE) } }));
    expect(podsOf(fleet)).toHaveLength(1);
    // SIGTERM, which it ignores, would have taken the ten seconds of grace
    expect(nowMs() - before).toBeLessThan(9_000);
  });

  test("prepares every pod of a host before it stops the first", async () => {
    const fleet = openFleet();
    const pods = (value: string) =>
      Object.fromEntries(
        ["one", "two", "three"].map((name) => [
          name,
          podOf(
            { env: { VALUE: value } },
            { network: { mode: "host" }, ports: [{ host: 8000 + name.length }] },
          ),
        ]),
      );
    const ports = (value: string) => {
      const made = pods(value);
      return {
        one: { ...made["one"], ports: [{ host: 8001 }] },
        two: { ...made["two"], ports: [{ host: 8002 }] },
        three: made["three"],
      };
    };
    await fleet.apply(fleet.manifest({ alpha: ports("a") }));
    fleet.events.length = 0;
    await fleet.apply(fleet.manifest({ alpha: ports("b") }));
    const steps = fleet.steps();
    const firstStop = steps.findIndex((step) => step.endsWith(" stop"));
    const lastPrepare = steps.findLastIndex((step) => step.endsWith(" prepare"));
    expect(steps.filter((step) => step.endsWith(" prepare"))).toHaveLength(3);
    expect(firstStop).toBeGreaterThan(lastPrepare);
  });

  test("a change that fails skips its dependants and spares its neighbours", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({
      alpha: {
        bad: podOf({ command: ["/nonexistent/program"] }),
        late: podOf({}, { dependsOn: ["bad"] }),
        good: podOf(),
      },
    });
    const report = await fleet.apply(manifest);
    expect(report.status).toBe("failed");
    const by = Object.fromEntries(report.outcomes.map((outcome) => [outcome.id, outcome]));
    expect(by["alpha/bad"]).toMatchObject({ status: "failed", failedStep: "start" });
    expect(by["alpha/late"]).toMatchObject({
      status: "skipped",
      reason: "it comes after alpha/bad, which failed",
    });
    expect(by["alpha/good"]?.status).toBe("done");
    expect(
      podsOf(fleet)
        .map(({ identity }) => identity.pod)
        .sort(),
    ).toEqual(["bad", "good"]);
    expect(fileOf(fleet, "/var/lib/stowage/acme/shop/late.json")).toBeUndefined();
  });

  test("goes back to the old generation when the new one ends at once, and says its last lines", async () => {
    const fleet = openFleet();
    await fleet.apply(fleet.manifest({ alpha: { web: podOf() } }));
    const broken = fleet.manifest({
      alpha: { web: podOf({ command: ["sh", "-c", "echo no database; exit 3"] }) },
    });
    const report = await fleet.apply(broken);
    const outcome = report.outcomes.find(({ id }) => id === "alpha/web");
    expect(outcome).toMatchObject({ status: "rolled-back", failedStep: "wait-healthy" });
    expect(outcome?.reason).toContain("it ended with exit code 3");
    expect(outcome?.logs).toEqual([{ container: "main", text: "no database" }]);
    const pods = podsOf(fleet);
    expect(pods.map(({ identity }) => identity.generation)).toEqual([1]);
    expect(pods[0]?.containers["main"]?.state).toBe("running");
    expect(recordOf(fleet)).toMatchObject({ current: 1, generations: [{ generation: 1 }] });
  });

  test("waits for a probe, and rolls back when it never passes", async () => {
    const fleet = openFleet();
    await fleet.apply(fleet.manifest({ alpha: { web: podOf() } }));
    const health = { kind: "exec" as const, command: ["false"], intervalMs: 10, retries: 3 };
    const report = await fleet.apply(
      fleet.manifest({ alpha: { web: podOf({ health, args: ["x"] }) } }),
    );
    const outcome = report.outcomes.find(({ id }) => id === "alpha/web");
    expect(outcome?.status).toBe("rolled-back");
    expect(outcome?.reason).toContain(
      "not healthy after 3 tries: its probe ended with exit code 1",
    );
  });

  test("a host that cannot be reached keeps the others from nothing", async () => {
    const fleet = openFleet();
    fleet.down.set("beta", new StowageError("Cannot reach it", { code: "unavailable" }));
    const report = await fleet.apply(
      fleet.manifest({ alpha: { web: podOf() }, beta: { web: podOf() } }),
    );
    expect(report.status).toBe("incomplete");
    expect(report.outcomes.find(({ id }) => id === "alpha/web")?.status).toBe("done");
    expect(report.outcomes.find(({ id }) => id === "beta/unreachable")?.status).toBe("not-run");
  });

  test("a host that its roster cannot be written on keeps the others from nothing", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: podOf() }, beta: { web: podOf() } });
    const full = new StowageError("The disk is full", { code: "resource_exhausted" });
    const { connector } = fleet;
    const open: typeof connector.open = async (name, spec, signal) => {
      const fault = { call: "host.writeFile", nth: 1, phase: "before", effect: full } as const;
      fleet.faults = name === "beta" ? [fault] : [];
      return await connector.open(name, spec, signal);
    };
    const report = await fleet.apply(manifest, { connector: { ...connector, open } });
    expect(report.status).toBe("failed");
    const left = report.outcomes.filter(({ status }) => status !== "done");
    expect(left.map(({ id, status }) => [id.replace(/:.*/, ""), status])).toEqual([
      ["beta/image", "not-run"],
      ["beta/roster", "not-run"],
      ["beta/web", "not-run"],
    ]);
    expect(left[2]?.reason).toBe(
      "its list of the fleet's hosts could not be written: The disk is full",
    );
    fleet.faults = [];
    expect((await fleet.apply(manifest)).status).toBe("done");
  });

  test("refuses a saved plan when its host has moved on", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: podOf(), other: podOf() } });
    await fleet.apply(manifest);
    const changed = fleet.manifest({
      alpha: { web: podOf({ image: OTHER_IMAGE }), other: podOf() },
    });
    const { plan } = await fleet.plan(changed, { options: { fingerprints: true } });
    await fleet
      .machine()
      .kill({ owner: "acme", fleet: "shop", host: "alpha", pod: "other", generation: 1 }, "main");
    await expect(fleet.apply(changed, { savedPlan: plan })).rejects.toThrow(
      "it changed since the plan was made",
    );
    expect(recordOf(fleet).current).toBe(1);
  });

  test("applies a saved plan that still holds", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: podOf() } });
    const { plan } = await fleet.plan(manifest, { options: { fingerprints: true } });
    expect((await fleet.apply(manifest, { savedPlan: plan })).status).toBe("done");
    expect(isConverged((await fleet.plan(manifest)).plan)).toBe(true);
  });

  test("clears a host that left the fleet, and strikes it from the rosters", async () => {
    const fleet = openFleet();
    await fleet.apply(fleet.manifest({ alpha: { web: podOf() }, beta: { web: podOf() } }));
    const smaller = fleet.manifest({ alpha: { web: podOf() } });
    const report = await fleet.apply(smaller);
    expect(report.status).toBe("done");
    expect(podsOf(fleet, "beta")).toEqual([]);
    expect(fileOf(fleet, ROSTER, "beta")).toBeUndefined();
    expect(Object.keys(JSON.parse(fileOf(fleet, ROSTER) ?? "").hosts)).toEqual(["alpha"]);
    expect(isConverged((await fleet.plan(smaller)).plan)).toBe(true);
  });

  test("takes a renamed fleet over, with its volumes and without a trace of the old name", async () => {
    const fleet = openFleet();
    const pod = podOf(
      { mounts: [{ volume: "data", path: "/data" }] },
      { volumes: { data: { kind: "named", name: "data" } } },
    );
    await fleet.apply(fleet.manifest({ alpha: { web: pod } }));
    await fleet.machine().setFile("/var/lib/stowage/acme/shop/.volumes/data/kept", { text: "yes" });
    const renamed = fleet.manifest({ alpha: { web: pod } }, { name: "store", formerly: "shop" });
    const report = await fleet.apply(renamed);
    expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
    expect(fileOf(fleet, "/var/lib/stowage/acme/store/.volumes/data/kept")).toBe("yes");
    const left = fleet
      .machine()
      .read((state) => [...Object.keys(state.files), ...Object.keys(state.links)]);
    expect(left.filter((path) => path.includes("/shop"))).toEqual([]);
    expect(podsOf(fleet).map(({ identity }) => identity.fleet)).toEqual(["store"]);
    expect(isConverged((await fleet.plan(renamed)).plan)).toBe(true);
  });
});

test("an image that is nowhere refuses the plan with its remedy", async () => {
  const fleet = openFleet();
  const manifest = fleet.manifest({ alpha: { web: podOf({ image: "example.test/none:1" }) } });
  await expect(fleet.plan(manifest)).rejects.toThrow(
    /names no layout or archive of it; add images/,
  );
  expect(IMAGE).toBe("example.test/app:1");
});
