import { afterEach, beforeEach, expect, test } from "vitest";
import { podsOf } from "../../../test/support/applied-fleet.ts";
import { IMAGE, OTHER_IMAGE, podOf, SimFleet } from "../../../test/support/sim-fleet.ts";
import type { LogLine } from "../../engine/index.ts";
import { SimKilled } from "../../engines/sim/index.ts";
import { StowageError } from "../../errors/index.ts";
import type { FleetManifest, OneOff } from "../../model/index.ts";
import { isConverged } from "../../plan/index.ts";
import { runOnce } from "./run-once.ts";

let fleet: SimFleet;
beforeEach(() => {
  fleet = new SimFleet();
});
afterEach(() => fleet[Symbol.dispose]());

const FAILURE = new StowageError("It does not start", { code: "failed_precondition" });

interface Heard {
  readonly lines: string[];
  readonly left: string[];
}

async function once(
  manifest: FleetManifest,
  change: Partial<OneOff>,
  heard: Heard = nothing(),
  kind: "lines" | "streams" = "lines",
) {
  const onText = (text: string) => void heard.lines.push(text);
  const put = (bytes: Uint8Array) => onText(Buffer.from(bytes).toString());
  const output = {
    lines: { kind: "lines", onLine: async ({ text }: LogLine) => onText(text) },
    streams: {
      kind: "streams",
      streams: () => ({ stdout: put, stderr: put, [Symbol.dispose]: () => {} }),
    },
  } as const;
  return await runOnce({
    ...fleet.applyRequest(manifest),
    host: "alpha",
    pod: "web",
    once: { container: "main", ...change },
    output: output[kind],
    onStarted: () => {},
    onLeft: (pod, reason) => void heard.left.push(`${pod} ${reason}`),
  });
}

function nothing(): Heard {
  return { lines: [], left: [] };
}

const sh = (script: string): Pick<OneOff, "args" | "entrypoint"> => ({
  entrypoint: "sh",
  args: ["-c", script],
});

/** Pods, images, and who holds the host. */
function stateOf() {
  return {
    pods: podsOf(fleet).map(({ identity }) => identity.pod),
    images: fleet.machine().read(({ images }) => Object.keys(images)),
  };
}

test("the host's lock is held while it runs, so that no apply takes it away", async () => {
  const manifest = fleet.manifest({ alpha: { web: podOf() } });
  await fleet.apply(manifest);
  const heard = nothing();
  const running = once(manifest, sh("echo up; sleep 2; echo down"), heard);
  await expect.poll(() => heard.lines).toEqual(["up"]);
  await expect(fleet.apply(manifest)).rejects.toThrow(/lock/);
  expect(await running).toBe(0);
  expect(heard).toEqual({ lines: ["up", "down"], left: [] });
  expect(stateOf().pods).toEqual(["web"]);
  expect(isConverged((await fleet.plan(manifest)).plan)).toBe(true);
});

test("an image that only it needs is there for the apply to come", async () => {
  const manifest = fleet.manifest({ alpha: { web: podOf() } });
  await fleet.apply(manifest);
  const next = fleet.manifest({ alpha: { web: podOf({ image: OTHER_IMAGE }) } });
  expect(await once(next, sh("exit 3"))).toBe(3);
  const { plan } = await fleet.plan(next);
  expect(plan.pods.map(({ id, action }) => `${id} ${action}`)).toEqual(["alpha/web replace"]);
  // it is brought no second time
  expect(plan.hostChanges.filter(({ action }) => action === "import")).toEqual([]);
});

test("one that cannot be started is told, and what was made of it is taken away", async () => {
  const manifest = fleet.manifest({ alpha: { web: podOf() } });
  await fleet.apply(manifest);
  fleet.faults = [{ call: "engine.start", phase: "before", effect: FAILURE }];
  const heard = nothing();
  await expect(once(manifest, sh("exit 0"), heard)).rejects.toThrow(
    /^Cannot run a command once on host "alpha": It does not start/,
  );
  expect(heard).toEqual(nothing());
  expect(stateOf().pods).toEqual(["web"]);
});

test("a host that is not reached is asked once, and told with the reason", async () => {
  const manifest = fleet.manifest({ alpha: { web: podOf() } });
  fleet.down.set("alpha", new StowageError("It is away", { code: "unavailable" }));
  await expect(once(manifest, sh("exit 0"))).rejects.toThrow(
    /^Cannot run a command once on host "alpha": .*It is away/,
  );
  expect(fleet.reached).toEqual(["alpha"]);
});

test("an engine that is away for a while is waited for: each line is told once, and the end is known", async () => {
  const manifest = fleet.manifest({ alpha: { web: podOf() } });
  await fleet.apply(manifest);
  let refused = 0;
  let isAway = false;
  fleet.onCall = ({ name }) => {
    if (!isAway || !["engine.observe", "engine.logs"].includes(name)) return;
    refused += 1;
    throw new StowageError("It is away", { code: "unavailable" });
  };
  const heard = nothing();
  const running = once(manifest, sh("echo up; sleep 1; echo down; exit 6"), heard);
  await expect.poll(() => heard.lines).toEqual(["up"]);
  isAway = true;
  await expect.poll(() => refused, { timeout: 10_000 }).toBeGreaterThan(3);
  isAway = false;
  expect(await running).toBe(6);
  expect(heard).toEqual({ lines: ["up", "down"], left: [] });
});

test("a container that the engine lost is an error, and no exit code", async () => {
  const manifest = fleet.manifest({ alpha: { web: podOf() } });
  await fleet.apply(manifest);
  const heard = nothing();
  const running = once(manifest, sh("echo up; sleep 1000"), heard);
  await expect.poll(() => heard.lines).toEqual(["up"]);
  await fleet.machine().write((state) => {
    for (const name of Object.keys(state.pods)) if (name.includes("-run-")) delete state.pods[name];
  });
  await expect(running).rejects.toThrow(/Cannot tell how web-run-[0-9a-f]{6} ended: it is gone/);
});

test.each(
  (["lines", "streams"] as const).flatMap((kind) =>
    (["before", "after"] as const).map((phase) => [kind, phase] as const),
  ),
)(
  "with output by %s killed %s any writing call, it leaves what the next apply takes away, and nothing of the pod is touched",
  async (kind, phase) => {
    let kills = 0;
    for (let nth = 1; nth < 100; nth += 1) {
      fleet[Symbol.dispose]();
      fleet = new SimFleet("virtual");
      const manifest = fleet.manifest({ alpha: { web: podOf() } });
      await fleet.apply(manifest);
      const before = stateOf();
      fleet.faults = [{ nth, access: "write", phase, effect: "kill" }];
      let isKilled = false;
      try {
        expect(await once(manifest, sh("exit 5"), nothing(), kind)).toBe(5);
      } catch (error) {
        if (!(error instanceof SimKilled)) throw error;
        isKilled = true;
      }
      fleet.faults = [];
      if (!isKilled) break;
      kills += 1;
      // whoever was killed holds the lock until it expires
      await fleet.machine().advance(60_000);
      expect(["done", "converged"]).toContain((await fleet.apply(manifest)).status);
      expect(stateOf()).toEqual(before);
      expect(isConverged((await fleet.plan(manifest)).plan)).toBe(true);
    }
    expect(kills).toBeGreaterThan(8);
    expect(stateOf().images.every((name) => name.includes(IMAGE))).toBe(true);
  },
);
