import { expect, onTestFinished, test } from "vitest";
import { OTHER_IMAGE, podOf, SimFleet } from "../../test/support/sim-fleet.ts";
import type { PodSpec } from "../model/index.ts";
import { destroyFleet } from "./index.ts";

function openFleet(): SimFleet {
  const fleet = new SimFleet();
  onTestFinished(() => fleet[Symbol.dispose]());
  return fleet;
}

/** Says in its own output when it is drained, and when it is asked to end. */
const drained = (more: object = {}, pod: Partial<PodSpec> = {}) =>
  podOf(
    { drain: { command: ["true"], waitMs: 30 }, ...more },
    { network: { mode: "host" }, ports: [{ host: 8080 }], ...pod },
  );

async function stepsOf(
  fleet: SimFleet,
  before: object,
  after: object,
  run: (fleet: SimFleet, manifest: ReturnType<SimFleet["manifest"]>) => Promise<unknown> = (
    on,
    manifest,
  ) => on.apply(manifest, { allowRemovals: 9 }),
): Promise<readonly string[]> {
  await fleet.apply(fleet.manifest({ alpha: { web: before } }));
  fleet.events.length = 0;
  await run(fleet, fleet.manifest({ alpha: after as Record<string, unknown> }));
  return fleet
    .steps()
    .filter((step) => /^alpha\/web (?:drain|stop|start|remove|commit)$/.test(step))
    .map((step) => step.replace("alpha/web ", ""));
}

test.each<[string, object, object, readonly string[]]>([
  [
    "replaced stop-first",
    drained(),
    { web: drained({ image: OTHER_IMAGE }) },
    ["drain", "stop", "start", "commit", "remove"],
  ],
  [
    "replaced start-first",
    drained({}, { network: { mode: "none" }, ports: [] }),
    { web: drained({ image: OTHER_IMAGE }, { network: { mode: "none" }, ports: [] }) },
    ["start", "commit", "drain", "stop", "remove"],
  ],
  [
    "restarted",
    drained(),
    { web: drained({ oomScoreAdj: 5 }) },
    ["drain", "stop", "start", "commit"],
  ],
  ["removed", drained(), {}, ["drain", "stop", "remove"]],
  [
    "drained from now on, but not yet",
    drained({ drain: undefined }),
    { web: drained({ image: OTHER_IMAGE }) },
    ["stop", "start", "commit", "remove"],
  ],
])("a pod is drained before it is stopped: %s", async (_, before, after, steps) => {
  const fleet = openFleet();
  const began = performance.now();
  expect(await stepsOf(fleet, before, after)).toEqual(steps);
  if (steps.includes("drain")) expect(performance.now() - began).toBeGreaterThanOrEqual(30);
  expect(fleet.events.filter(({ type }) => type === "drain-failed")).toEqual([]);
});

test("a pod that moves to another engine is drained on its old one", async () => {
  const fleet = openFleet();
  const on = (engine: object) =>
    fleet.manifest(
      {},
      { hosts: { alpha: { address: "ssh://alpha.test", engine, pods: { web: drained() } } } },
    );
  await fleet.apply(on({ kind: "sim" }));
  fleet.events.length = 0;
  const report = await fleet.apply(on({ kind: "sim", store: "other" }));
  expect(report.status).toBe("done");
  expect(fleet.steps().filter((step) => /drain|stop|start$/.test(step))).toEqual([
    "alpha/web drain",
    "alpha/web stop",
    "alpha/web start",
  ]);
});

test("a destroy drains, and a pod that does not run is not drained", async () => {
  const fleet = openFleet();
  const manifest = fleet.manifest({
    alpha: { web: drained(), off: podOf({ command: ["true"], drain: { waitMs: 20 } }) },
  });
  await fleet.apply(manifest, { settleMs: 0 });
  fleet.events.length = 0;
  await destroyFleet(fleet.applyRequest(manifest));
  expect(fleet.steps().filter((step) => step.endsWith("drain"))).toEqual(["alpha/web drain"]);
});

test("a command that fails or takes too long does not hold the stop up, and is told", async () => {
  const fleet = openFleet();
  const of = (drain: object, image?: string) =>
    drained({ drain, ...(image === undefined ? {} : { image }) });
  const reasons = async (drain: object) => {
    await stepsOf(fleet, of(drain), { web: of(drain, OTHER_IMAGE) });
    return fleet.events.flatMap((event) => (event.type === "drain-failed" ? [event.reason] : []));
  };
  expect(await reasons({ command: ["sh", "-c", "exit 3"] })).toEqual(["it ended with exit code 3"]);
  expect(await reasons({ command: ["sleep", "1000"], waitMs: 50, timeoutMs: 60 })).toHaveLength(1);
  expect(
    fleet
      .machine("alpha")
      .read(({ pods }) => Object.values(pods).map(({ containers }) => containers["main"]?.state)),
  ).toEqual(["running"]);
});

test("what was drained is gone on with, though the user ends the apply meanwhile", async () => {
  const fleet = openFleet();
  await fleet.apply(fleet.manifest({ alpha: { web: drained() } }));
  const drain = new AbortController();
  const report = await fleet.apply(
    fleet.manifest({ alpha: { web: drained({ image: OTHER_IMAGE }) } }),
    {
      draining: drain.signal,
      onEvent: (event) => {
        if (event.type === "step-started" && event.step.kind === "drain") drain.abort();
      },
    },
  );
  expect(report.outcomes.find(({ id }) => id === "alpha/web")?.status).toBe("not-run");
  expect(
    fleet.machine("alpha").read(({ pods }) =>
      Object.values(pods)
        .filter(({ containers }) => containers["main"]?.state === "running")
        .map(({ containers }) => containers["main"]?.image.reference),
    ),
  ).toEqual([OTHER_IMAGE]);
});
