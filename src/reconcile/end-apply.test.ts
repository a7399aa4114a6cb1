import { describe, expect, test } from "vitest";
import { podsOf, recordOf } from "../../test/support/applied-fleet.ts";
import { podOf } from "../../test/support/sim-fleet.ts";
import { openFleet } from "../../test/support/web-service.ts";
import { isConverged } from "../plan/index.ts";

describe("applyFleet() that its user ends", () => {
  test("begins no step after the user ends it, and goes on the next time", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({
      alpha: { one: podOf(), two: podOf({}, { dependsOn: ["one"] }) },
    });
    const draining = new AbortController();
    const report = await fleet.apply(manifest, {
      draining: draining.signal,
      onEvent: (event) => {
        if (
          event.type === "step-started" &&
          event.id === "alpha/one" &&
          event.step.kind === "start"
        ) {
          draining.abort();
        }
      },
    });
    expect(report.status).toBe("interrupted");
    const by = Object.fromEntries(report.outcomes.map(({ id, status }) => [id, status]));
    expect(by).toMatchObject({ "alpha/one": "not-run", "alpha/two": "not-run" });
    expect((await fleet.apply(manifest)).status).toBe("done");
    expect(isConverged((await fleet.plan(manifest)).plan)).toBe(true);
    expect(podsOf(fleet)).toHaveLength(2);
  });

  test("is ended at once while it waits for a lock, before anything is begun", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { one: podOf() } });
    const draining = new AbortController();
    let second: Promise<unknown> | undefined;
    const first = await fleet.apply(manifest, {
      confirm: async () => {
        second = fleet.apply(manifest, {
          lockTimeoutMs: 60_000,
          draining: draining.signal,
          onEvent: ({ type }) => {
            if (type === "lock-waiting") draining.abort(new Error("enough"));
          },
        });
        await expect(second).rejects.toThrow("enough");
        return true;
      },
    });
    expect(second).toBeDefined();
    expect(first.status).toBe("done");
  });

  test("never leaves a pod stopped when the user ends it", async () => {
    const fleet = openFleet();
    const pod = (value: string) =>
      podOf({ env: { VALUE: value } }, { network: { mode: "host" }, ports: [{ host: 80 }] });
    await fleet.apply(fleet.manifest({ alpha: { web: pod("a") } }));
    const draining = new AbortController();
    const report = await fleet.apply(fleet.manifest({ alpha: { web: pod("b") } }), {
      draining: draining.signal,
      onEvent: (event) => {
        if (event.type === "step-started" && event.step.kind === "stop") draining.abort();
      },
    });
    expect(report.outcomes.find(({ id }) => id === "alpha/web")?.status).not.toBe("rolled-back");
    expect(recordOf(fleet).current).toBe(2);
    const running = podsOf(fleet).filter(
      ({ containers }) => containers["main"]?.state === "running",
    );
    expect(running.map(({ identity }) => identity.generation)).toEqual([2]);
  });
});
