import { describe, expect, test } from "vitest";
import {
  applied,
  EVERYTHING,
  fleet,
  hostWith,
  input,
  observed,
  pod,
  record,
} from "../../test/support/plan-world.ts";
import type { ObservedContainer, PodSpec } from "../model/index.ts";
import { plan, planRestarts, processKey } from "./index.ts";

type Restart = NonNullable<PodSpec["restart"]>;

/** What becomes of one pod whose process ended. */
function afterEnd(restart: Restart | undefined, change: Partial<ObservedContainer>) {
  const spec = pod({}, restart === undefined ? {} : { restart });
  const old = applied(spec);
  const world = hostWith([observed("web", old, "exited", change)], [record("web", [old])]);
  const made = planRestarts(input(fleet({ web: spec }), world));
  return { ...made, steps: made.restarts.flatMap((each) => each.change.steps) };
}

describe("planRestarts()", () => {
  test("starts again what the policy wants, and counts it", () => {
    for (const policy of ["always", "unless-stopped", "on-failure"] as const) {
      const { steps, left } = afterEnd({ policy }, { exitCode: 1 });
      expect(steps).toEqual([{ kind: "start", generation: 1, containers: ["main"], again: true }]);
      expect(left).toEqual([]);
    }
    expect(afterEnd({ policy: "always" }, { exitCode: 0 }).steps).toHaveLength(1);
  });

  test("leaves what ended with the policy no, and says so", () => {
    for (const restart of [undefined, { policy: "no" } as const]) {
      const { restarts, left } = afterEnd(restart, { exitCode: 137 });
      expect(restarts).toEqual([]);
      expect(left).toEqual([
        { id: "a/web", container: "main", reason: "its restart policy is no" },
      ]);
    }
  });

  test("on-failure leaves what has done its work, and gives up after its retries", () => {
    expect(afterEnd({ policy: "on-failure" }, { exitCode: 0 })).toMatchObject({
      restarts: [],
      left: [],
    });
    const twice = { policy: "on-failure", maxRetries: 2 } as const;
    expect(afterEnd(twice, { exitCode: 1, restarts: 1 }).steps).toHaveLength(1);
    expect(afterEnd(twice, { exitCode: 1, restarts: 2 })).toMatchObject({
      restarts: [],
      left: [{ reason: "it was started again 2 times, as often as its restart policy allows" }],
    });
    // a reboot ended it: nobody knows how
    expect(afterEnd(twice, {}).steps).toHaveLength(1);
  });

  test("goes by what was applied, not by what is declared now", () => {
    const old = applied(pod({}, { restart: { policy: "always" } }));
    const world = hostWith([observed("web", old, "exited")], [record("web", [old])]);
    const now = fleet({ web: pod({ image: "app:2" }) });
    const { restarts } = planRestarts({ ...input(now, world), images: new Map() } as never);
    expect(restarts[0]?.change.to).toEqual(old);
  });

  test("says whether the engine does it by itself", () => {
    expect(afterEnd({ policy: "always" }, {}).restarts[0]?.byEngine).toBe(true);
    const old = applied(pod({}, { restart: { policy: "always" } }));
    const world = hostWith([observed("web", old, "exited")], [record("web", [old])], {
      capabilities: { ...EVERYTHING, "restart.policy": { support: "emulated" } },
    });
    const made = planRestarts(input(fleet({ web: old.spec }), world));
    expect(made.restarts[0]?.byEngine).toBe(false);
  });

  test("pods that are not declared any more, or whose last generation is not proven, are left", () => {
    const old = applied(pod({}, { restart: { policy: "always" } }));
    const gone = hostWith([observed("web", old, "exited")], [record("web", [old])]);
    expect(planRestarts(input(fleet({}), gone)).restarts).toEqual([]);
    const unproven = hostWith([observed("web", old, "exited")], [record("web", [old], 7)]);
    expect(planRestarts(input(fleet({ web: old.spec }), unproven)).restarts).toEqual([]);
  });

  test("one that others depend on is waited for", () => {
    const db = applied(pod({}, { restart: { policy: "always" } }));
    const web = applied(pod({}, { restart: { policy: "always" }, dependsOn: ["db"] }));
    const world = hostWith(
      [observed("web", web, "exited"), observed("db", db, "exited")],
      [record("web", [web]), record("db", [db])],
    );
    const { restarts } = planRestarts(input(fleet({ web: web.spec, db: db.spec }), world));
    const byId = new Map(restarts.map(({ change }) => [change.id, change]));
    expect(byId.get("a/web")?.after).toEqual(["a/db"]);
    expect(byId.get("a/web")?.steps.map(({ kind }) => kind)).toEqual(["start"]);
    expect(byId.get("a/db")?.steps.map(({ kind }) => kind)).toEqual(["start", "wait-healthy"]);
  });
});

describe("planRestarts() of what is unhealthy", () => {
  const health = { kind: "exec", command: ["x"], whenUnhealthy: "restart" } as const;
  const always = { policy: "always" } as const;

  /** What becomes of a pod that runs as process 7, of which probes found a process unhealthy. */
  function found(spec: PodSpec, change: Partial<ObservedContainer> = {}, generation = 1) {
    const old = applied(spec);
    const asked = observed("web", old, "running", { pid: 7, ...change });
    const process = processKey(asked.containers["main"] as ObservedContainer);
    const seen = hostWith([observed("web", old, "running", { pid: 7 })], [record("web", [old])]);
    const reason = "it hangs";
    const unhealthy = [{ id: "a/web", container: "main", generation, process, reason }];
    return planRestarts(input(fleet({ web: spec }), seen), unhealthy);
  }

  test("ends a pod for a new start that counts", () => {
    const { restarts, left } = found(pod({ health }, { restart: always }));
    expect(restarts).toMatchObject([
      {
        byEngine: false,
        change: {
          id: "a/web",
          action: "restart",
          interrupts: true,
          reasons: [{ path: "containers.main", text: "it is unhealthy: it hangs" }],
          steps: [
            { kind: "stop", generation: 1 },
            { kind: "start", generation: 1, again: true },
          ],
        },
      },
    ]);
    expect(left).toEqual([]);
  });

  test("leaves another process, another generation, and what does not want it", () => {
    const spec = pod({ health }, { restart: always });
    expect(found(spec, { pid: 8 }).restarts).toEqual([]);
    expect(found(spec, { restarts: 1 }).restarts).toEqual([]);
    expect(found(spec, {}, 2).restarts).toEqual([]);
    const { whenUnhealthy: _, ...report } = health;
    expect(found(pod({ health: report }, { restart: always })).restarts).toEqual([]);
    expect(found(pod({ health })).restarts).toEqual([]);
  });
});

describe("plan() of what ended", () => {
  const world = (spec: PodSpec, change: Partial<ObservedContainer>, emulated = false) => {
    const old = applied(spec);
    const more = emulated
      ? {
          capabilities: {
            ...EVERYTHING,
            "restart.policy": {
              support: "emulated",
              reason: "it cannot",
              while: "stowage watch runs",
            } as const,
          },
        }
      : {};
    return hostWith([observed("web", old, "exited", change)], [record("web", [old])], more);
  };

  test("what has done its work is no change, and is named", () => {
    const spec = pod({}, { restart: { policy: "on-failure" } });
    const made = plan(input(fleet({ web: spec }), world(spec, { exitCode: 0 })));
    expect(made.pods).toEqual([]);
    expect(made.hosts[0]?.ended).toEqual(["web/main"]);
  });

  test("a start leaves the containers that have done their work", () => {
    const spec: PodSpec = {
      containers: { job: { image: "app:1" }, main: { image: "app:1" } },
      restart: { policy: "on-failure" },
    };
    const found = observed("web", applied(spec), "exited", { exitCode: 1 });
    const { job, main } = found.containers as Record<string, ObservedContainer>;
    const containers = { job: { ...(job as ObservedContainer), exitCode: 0 }, main };
    const seen = hostWith([{ ...found, containers } as never], [record("web", [applied(spec)])]);
    const [change] = plan(input(fleet({ web: spec }), seen)).pods;
    expect(change?.steps[0]).toEqual({ kind: "start", generation: 1, containers: ["main"] });
  });

  test("a policy that only watch keeps is a note", () => {
    const spec = pod({}, { restart: { policy: "always" } });
    const [change] = plan(input(fleet({ web: spec }), world(spec, {}, true))).pods;
    expect(change?.notes).toContain(
      "restart policy always is emulated: only while stowage watch runs",
    );
    const [native] = plan(input(fleet({ web: spec }), world(spec, {}))).pods;
    expect(native?.notes).toEqual([]);
  });

  test("drift of ignored fields is none, and of others is", () => {
    const spec = pod({ env: { A: "1" }, resources: { memoryBytes: 10_000_000 } });
    const old = applied(spec);
    const found = observed("web", old, "running", {
      reported: { "env.A": "2", "resources.memoryBytes": 20_000_000 },
    });
    const seen = hostWith([found], [record("web", [old])]);
    const paths = (ignoreFields: readonly string[]) =>
      plan(input(fleet({ web: spec }), seen, { options: { ignoreFields } })).pods.flatMap(
        ({ reasons }) => reasons.map(({ path }) => path),
      );
    expect(paths([])).toEqual(["containers.main.env.A", "containers.main.resources.memoryBytes"]);
    expect(paths(["containers.*.resources"])).toEqual(["containers.main.env.A"]);
    expect(paths(["containers.*.env", "containers.*.resources.memoryBytes"])).toEqual([]);
    expect(paths(["containers.*.en"])).toHaveLength(2);
  });
});
