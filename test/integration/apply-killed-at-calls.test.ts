import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ApplyProgram } from "../support/apply-program.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";
import { KillStory } from "../support/kill-story.ts";

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
  ["an image that comes and one that goes, stop first", [db("app:1"), db("app:2")], 20],
  ["a replacement that starts first", [web("a"), web("b")], 15],
  [
    "a live change, a restart, a pod that comes and goes",
    [{ ...live(50, 1), ...passing }, live(60, 2)],
    20,
  ],
] as const;

describeWithEngine("containerd", "an apply on containerd, killed at its calls", (containerd) => {
  const program = new ApplyProgram();
  beforeAll(() => program.build());
  afterAll(() => program[Symbol.dispose]());

  test.each(stories)(
    "killed before and after every writing call, it ends where an undisturbed one does: %s",
    async (_, sides, atLeast) => {
      await using fleet = new ContainerdFleet(containerd.address);
      fleet.image("app:1");
      fleet.image("app:2");
      const story = await KillStory.open(fleet, sides);
      // one direction is cut before its calls and the other one after them
      let [kills, isOver] = [0, false];
      for (let nth = 1; !isOver; nth += 1) {
        for (const phase of ["before", "after"] as const) {
          const { ended } = program.start({ manifest: story.turn(), kill: { nth, phase } });
          const { signal } = await ended;
          isOver = signal !== "SIGKILL";
          if (!isOver) kills += 1;
          await story.expectMended(`killed ${phase} call ${nth}`);
        }
      }
      expect(kills).toBeGreaterThan(atLeast);
    },
    600_000,
  );
});
