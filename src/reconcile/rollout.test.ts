import { expect, test } from "vitest";
import { IMAGE, OTHER_IMAGE } from "../../test/support/sim-fleet.ts";
import {
  openFleet,
  runningWeb,
  WEB_HOSTS,
  webService,
  webStatuses,
} from "../../test/support/web-service.ts";
import { StowageError } from "../errors/index.ts";
import type { Rollout } from "../model/index.ts";
import { isConverged } from "../plan/index.ts";
import type { Connector } from "./connector.ts";

const NAMES = WEB_HOSTS;
const CRASH = ["sh", "-c", "exit 1"];

async function rollOut(rollout: Rollout, crashes: readonly string[], command = CRASH) {
  const fleet = openFleet();
  await fleet.apply(webService(fleet, rollout, IMAGE));
  fleet.events.length = 0;
  const manifest = webService(fleet, rollout, OTHER_IMAGE, crashes, command);
  const report = await fleet.apply(manifest);
  return { fleet, report, manifest, statuses: webStatuses(report) };
}

test("a rollout of which the canary crashes stops there, goes back, and has failed", async () => {
  const rollout = { canary: 1, maxUnavailable: 2 };
  const { fleet, report, statuses } = await rollOut(rollout, NAMES);
  expect(statuses).toBe("rolled-back skipped skipped skipped skipped");
  expect(report.status).toBe("failed");
  expect(report.outcomes.find(({ id }) => id === "e/web")?.reason).toBe(
    "the rollout of web was given up: its canary a/web failed",
  );
  expect(runningWeb(fleet)).toBe("1 1 1 1 1");
  expect(fleet.steps("step-started").filter((step) => /^[b-e]\/web/.test(step))).toEqual([]);
  expect((await fleet.plan(webService(fleet, rollout, IMAGE))).plan.pods).toEqual([]);
});

test.each([
  [1, "failed skipped skipped"],
  [2, "failed done done"],
])(
  "a host that is lost in the midst of a rollout counts as a failure, of %i",
  async (abortAfter, statuses) => {
    const fleet = openFleet();
    const rollout = { canary: 1, maxUnavailable: 2, abortAfter };
    await fleet.apply(webService(fleet, rollout, IMAGE));
    const { connector } = fleet;
    const gone = new StowageError("Cannot reach host: its connection is lost", {
      code: "unavailable",
    });
    const open: Connector["open"] = async (name, ...rest) => {
      const access = await connector.open(name, ...rest);
      const { engine } = access;
      if (name !== "c") return access;
      const prepare = new Proxy(engine, {
        get: (target, key) => {
          const found: unknown = Reflect.get(target, key, target);
          if (key === "prepare") return () => Promise.reject(gone);
          return typeof found === "function" ? found.bind(target) : found;
        },
      });
      return { ...access, engine: prepare };
    };
    const report = await fleet.apply(webService(fleet, rollout), {
      connector: { ...connector, open },
    });
    // its neighbour in the wave may have begun before it failed, or not
    expect(webStatuses(report).split(" ").slice(2).join(" ")).toBe(statuses);
  },
);

test("what a change took is counted from its first step, not from when it began to wait for its wave", async () => {
  const fleet = openFleet();
  const times = new Map<string, number[]>();
  fleet.events.push = (event) => {
    if (event.type === "change-started" || event.type === "change-done")
      times.set(event.id, [...(times.get(event.id) ?? []), performance.now()]);
    return fleet.events.length;
  };
  const { outcomes } = await fleet.apply(webService(fleet, { maxUnavailable: 1, pauseMs: 20 }));
  const pods = outcomes.filter(({ pod }) => pod === "web");
  expect(pods.map(({ status }) => status)).toEqual(WEB_HOSTS.map(() => "done"));
  const tooLong = pods.filter(({ id, ms }) => {
    const [began = 0, ended = 0] = times.get(id) ?? [];
    return ms > ended - began;
  });
  expect(tooLong).toEqual([]);
});

test("a pod that was not there before its rollout was given up stays, and is not said to have failed", async () => {
  const fleet = openFleet();
  const rollout = { canary: 1, maxUnavailable: 2, rollback: "all" } as const;
  const report = await fleet.apply(webService(fleet, rollout, IMAGE, ["b"]));
  expect([webStatuses(report), runningWeb(fleet), report.status]).toEqual([
    "done failed done skipped skipped",
    "1 down 1 down down",
    "failed",
  ]);
  expect(report.outcomes.find(({ id }) => id === "c/web")?.reason).toContain(
    "this pod keeps its change: it has no earlier state to roll back to",
  );
});

test.each<[Rollout, readonly string[], string, string]>([
  // waves: a | b c | d e
  [{}, ["c"], "done done rolled-back skipped skipped", "2 2 1 1 1"],
  [{ rollback: "wave" }, ["c"], "done rolled-back rolled-back skipped skipped", "2 1 1 1 1"],
  [{ rollback: "all" }, ["c"], "rolled-back rolled-back rolled-back skipped skipped", "1 1 1 1 1"],
  [{ abortAfter: 2 }, ["c"], "done done rolled-back done done", "2 2 1 2 2"],
  [
    { abortAfter: 2, rollback: "all" },
    ["c", "d"],
    "rolled-back rolled-back rolled-back rolled-back rolled-back",
    "1 1 1 1 1",
  ],
  [{ abortAfter: 9 }, ["a"], "rolled-back skipped skipped skipped skipped", "1 1 1 1 1"],
])(
  "of a rollout %j, with a failure of %j, comes what it says",
  async (policy, crashes, outcome, now) => {
    const rollout = { canary: 1, maxUnavailable: 2, ...policy };
    const { fleet, report, statuses, manifest } = await rollOut(rollout, crashes);
    expect([statuses, runningWeb(fleet), report.status]).toEqual([outcome, now, "failed"]);
    // what is left to do is what the report says
    const { plan } = await fleet.plan(manifest);
    const left = plan.pods.filter(({ action }) => action === "replace").map(({ host }) => host);
    expect(left).toEqual(NAMES.filter((_, index) => now.split(" ")[index] === "1"));
    // and what they went back to is whole, its image among it
    const { plan: back } = await fleet.plan(webService(fleet, rollout, IMAGE));
    expect(back.pods.map(({ host }) => host)).toEqual(NAMES.filter((name) => !left.includes(name)));
    expect((await fleet.apply(webService(fleet, rollout, IMAGE))).status).toBe("done");
    expect(runningWeb(fleet)).toBe("1 1 1 1 1");
  },
);

test("a wave begins when the one before it has ended and its pause is over", async () => {
  const { fleet, report } = await rollOut({ canary: 1, maxUnavailable: 4, pauseMs: 1000 }, []);
  expect(report.status).toBe("done");
  const steps = fleet.events.flatMap((event) =>
    (event.type === "step-started" || event.type === "change-done") && event.id.endsWith("/web")
      ? [event]
      : [],
  );
  const second = steps.slice(steps.findLastIndex(({ id }) => id === "a/web") + 1);
  expect(new Set(second.map(({ id }) => id))).toEqual(
    new Set(["b/web", "c/web", "d/web", "e/web"]),
  );
  expect(report.ms).toBeGreaterThanOrEqual(1000);
});

test("a pod that does not stay healthy for as long as is said has failed", async () => {
  const command = ["sh", "-c", "sleep 0.05; exit 1"];
  const rollout = { canary: 1, healthTimeMs: 400 };
  const { fleet, statuses, report } = await rollOut(rollout, NAMES, command);
  expect(statuses).toBe("rolled-back skipped skipped skipped skipped");
  expect(report.outcomes.find(({ id }) => id === "a/web")?.failedStep).toBe("wait-healthy");
  expect(runningWeb(fleet)).toBe("1 1 1 1 1");
});

test("images that pods may go back to are let go of when all is done, and then they are", async () => {
  const { fleet, report, manifest } = await rollOut({ canary: 1, rollback: "all" }, []);
  expect(report.status).toBe("done");
  expect(isConverged((await fleet.plan(manifest)).plan)).toBe(true);
  for (const name of NAMES)
    expect(fleet.machine(name).read(({ images }) => Object.keys(images))).toHaveLength(1);
});
