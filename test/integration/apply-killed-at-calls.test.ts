import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithEngine, type ProvidedEngine } from "../set-up/describe-with-engine.ts";
import type { RealEngine } from "../set-up/engine-provision.ts";
import { ApplyProgram } from "../support/apply-program.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { ONE_OF } from "../support/every-kill.ts";
import { killAtEachCall } from "../support/kill-at-each-call.ts";
import { KillStory } from "../support/kill-story.ts";
import { RealFleet } from "../support/real-fleet.ts";

/** A first process that is asked to end by a signal that it cannot ignore. */
const run = { image: "app:1", command: ["sleep", "100000"], stopSignal: "SIGKILL" };
const volumes = { data: { kind: "named", name: "data" } };
const mounts = [{ volume: "data", path: "/data" }];

const db = (image: string) => ({
  db: { volumes, containers: { main: { ...run, image, mounts } } },
});
const web = (of: string) => ({
  web: { containers: { one: { ...run, env: { OF: of } }, two: run } },
});
const live = (pidsMax: number, oomScoreAdj: number) => ({
  live: { containers: { main: { ...run, resources: { pidsMax }, oomScoreAdj } } },
});
const passing = { passing: { containers: { main: run } } };

// what is killed at each of its calls is small: every one of them costs an apply of the whole
const stories = [
  ["an image that comes and one that goes, stop first", [db("app:1"), db("app:2")], 20, 1],
  ["a replacement that starts first", [web("a"), web("b")], 15, 2],
  [
    "a live change, a restart, a pod that comes and goes",
    [{ ...live(50, 1), ...passing }, live(60, 2)],
    20,
    3,
  ],
] as const;

describeWithEngine("containerd", "an apply on containerd, killed at its calls", (containerd) => {
  test.each(stories)(
    "killed before and after every writing call, it ends where an undisturbed one does: %s",
    async (_, sides, atLeast, first) => {
      // one direction is cut before its calls and the other one after them
      const phases = ["before", "after"] as const;
      const kills = await tellStory("containerd", containerd, sides, { phases, first });
      expect(kills).toBeGreaterThanOrEqual(atLeast / ONE_OF);
    },
    600_000,
  );
});

for (const [kind, first] of [
  ["podman", 1],
  ["rkt", 2],
] as const) {
  describeWithEngine(kind, `an apply on ${kind}, killed at its calls`, (engine) => {
    test("killed after every writing call, it ends where an undisturbed one does", async () => {
      const sides = [
        { ...db("app:1"), ...live(50, 1), ...passing },
        { ...db("app:2"), ...live(60, 2) },
      ] as const;
      const kills = await tellStory(kind, engine, sides, { phases: ["after"], first });
      expect(kills).toBeGreaterThanOrEqual(15 / ONE_OF);
    }, 900_000);
  });
}

/** podman, but the next command that makes a container says so and takes its time. */
const SLOW = `#!/bin/sh
for word; do
  if [ "$word" = create ] && mv "FOLDER/slow" "FOLDER/begun" 2>/dev/null; then sleep 4; fi
done
exec REAL "$@"
`;

describeWithEngine("podman", "a command of podman that outlives its Stowage", (podman) => {
  test("has ended before the next apply looks at the host", async () => {
    await using fleet = new RealFleet((places) => {
      const slow = join(places.folder, "podman-slow");
      const text = SLOW.replaceAll("FOLDER", places.folder).replace("REAL", podman.address);
      writeFileSync(slow, text, { mode: 0o755 });
      return [openLab("podman", { ...podman, address: slow }, places)];
    });
    fleet.image("app:1");
    fleet.image("app:2");
    const story = await KillStory.open(fleet, [db("app:1"), db("app:2")]);
    for (const _ of [1, 2]) {
      const begun = join(fleet.folder, "begun");
      writeFileSync(join(fleet.folder, "slow"), "");
      const { process: apply, ended } = program.start({ manifest: story.turn() });
      await expect.poll(() => existsSync(begun), { timeout: 60_000 }).toBe(true);
      apply.kill("SIGKILL");
      await ended;
      rmSync(begun);
      await story.expectMended("killed while podman makes a container");
    }
  }, 300_000);
});

const program = new ApplyProgram();
beforeAll(() => program.build());
afterAll(() => program[Symbol.dispose]());

type Pods = Readonly<Record<string, object>>;

interface Cuts {
  readonly phases: readonly ("before" | "after")[];
  readonly first: number;
}

/** Goes back and forth between two declarations, each time killed a call later. @returns how often it was killed */
async function tellStory(
  kind: RealEngine,
  engine: ProvidedEngine,
  sides: readonly [Pods, Pods],
  { phases, first }: Cuts,
): Promise<number> {
  await using fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
  fleet.image("app:1");
  fleet.image("app:2");
  const story = await KillStory.open(fleet, sides);
  return await killAtEachCall(async (turn) => {
    const nth = Math.ceil(turn / phases.length);
    const phase = phases[(turn - 1) % phases.length] as "before" | "after";
    const { ended } = program.start({ manifest: story.turn(), kill: { nth, phase } });
    const { signal } = await ended;
    await story.expectMended(`killed ${phase} call ${nth}`);
    return signal === "SIGKILL";
  }, first);
}
