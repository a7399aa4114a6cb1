import { afterAll, beforeAll, expect, test } from "vitest";
import type { FleetManifest } from "../../src/model/index.ts";
import { describeWithEngine, type ProvidedEngine } from "../set-up/describe-with-engine.ts";
import type { RealEngine } from "../set-up/engine-provision.ts";
import { ApplyProgram } from "../support/apply-program.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { EVERY_KILL } from "../support/every-kill.ts";
import { exclusivePod, volumeOf } from "../support/exclusive-pod.ts";
import { killAtEachCall } from "../support/kill-at-each-call.ts";
import { RealFleet } from "../support/real-fleet.ts";

/** Both directions of each. */
const PAIRS = [
  ["containerd", "podman"],
  ["containerd", "rkt"],
  ["podman", "rkt"],
] as const;

for (const [index, [one, other]] of PAIRS.entries()) {
  describeWithEngine(one, `a move between ${one}`, (first) => {
    describeWithEngine(other, `and ${other}`, (second) => {
      tellMoves(index + 1, [one, first], [other, second]);
    });
  });
}

type Side = readonly [RealEngine, ProvidedEngine];

function tellMoves(firstCall: number, ...sides: readonly [Side, Side]): void {
  const program = new ApplyProgram();
  beforeAll(() => program.build());
  afterAll(() => program[Symbol.dispose]());

  test("killed after every writing call: one running pod, on the right engine, data intact, nothing left", async () => {
    const [one, other] = sides;
    await using fleet = new RealFleet((places) => [
      openLab(...one, places),
      openLab(...other, places),
    ]);
    fleet.image("app:1");
    const manifests = fleet.labs.map((lab) =>
      fleet.manifestOn(lab, { db: exclusivePod({ image: "app:1" }) }),
    );
    const files = manifests.map((manifest, index) => fleet.write(`move-${index}`, manifest));
    const found = async () => {
      const { files: paths, ...others } = await fleet.traces();
      return { ...others, paths: paths?.filter((path) => !path.endsWith("/starts")) };
    };
    const converge = async (manifest: FleetManifest) => {
      const report = await fleet.apply(manifest);
      expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
      const { pods, hostChanges } = await fleet.plan(manifest);
      expect({ pods, hostChanges }).toEqual({ pods: [], hostChanges: [] });
    };
    const expected: unknown[] = [];
    // what an engine makes with its first use is there from the second round on
    for (const manifest of [...manifests, ...manifests, ...manifests]) {
      await converge(manifest);
      expected.push(await found());
    }
    expect(expected.splice(0, 4).slice(2)).toEqual(expected);
    let kills = 0;
    // a series cuts each direction at every second call, the other one has the calls between
    for (const first of EVERY_KILL ? [0, 1] : [0]) {
      await converge(manifests[1 - first] as FleetManifest);
      kills += await killAtEachCall(async (nth) => {
        const to = (first + nth - 1) % 2;
        const kill = { nth, phase: "after" } as const;
        const { signal } = await program.start({ manifest: files[to] as string, kill }).ended;
        await converge(manifests[to] as FleetManifest);
        expect(await found(), `killed after call ${nth}`).toEqual(expected[to]);
        return signal === "SIGKILL";
      }, firstCall);
    }
    expect(kills).toBeGreaterThan(EVERY_KILL ? 24 : 3);
    // every process got the lock on the data, and none met another one
    expect(volumeOf(fleet)).toMatchObject({ witness: "" });
    expect(volumeOf(fleet).starts).toBeGreaterThan(kills);
  }, 900_000);
}
