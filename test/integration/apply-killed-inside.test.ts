import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApplyEvent } from "../../src/reconcile/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ApplyProgram } from "../support/apply-program.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";
import { ONE_OF } from "../support/every-kill.ts";
import { KillStory } from "../support/kill-story.ts";

const run = { image: "app:1", command: ["sleep", "100000"], stopSignal: "SIGKILL" };
const MEBIBYTE = 1024 * 1024;

describeWithEngine("containerd", "an apply on containerd, killed inside a call", (containerd) => {
  const program = new ApplyProgram();
  beforeAll(() => program.build());
  afterAll(() => program[Symbol.dispose]());

  /**
   * Applies a manifest and ends it by SIGKILL at a random instant of the first step of a kind.
   *
   * @param durationMs how long such a step takes, as far as is known
   * @returns how long it took where it was over before
   */
  async function killInside(
    manifest: string,
    kind: string,
    durationMs: number,
  ): Promise<number | undefined> {
    let [startedAt, tookMs]: (number | undefined)[] = [];
    const onEvent = (event: ApplyEvent, process: { kill(signal: "SIGKILL"): unknown }): void => {
      if (!("step" in event) || event.step?.kind !== kind) return;
      if (event.type === "step-done" && startedAt !== undefined) {
        tookMs ??= performance.now() - startedAt;
      }
      if (event.type !== "step-started" || startedAt !== undefined) return;
      startedAt = performance.now();
      setTimeout(() => process.kill("SIGKILL"), Math.random() * durationMs);
    };
    await program.start({ manifest }, onEvent).ended;
    expect(startedAt, `a step ${kind} began`).toBeDefined();
    return tookMs;
  }

  const of = (name: string, value: string) => ({
    web: { containers: { one: { ...run, env: { OF: value } }, [name]: run } },
  });
  const noise = (image: string) => ({ web: { containers: { main: { ...run, image } } } });

  test.each([
    ["prepare", 40, [of("two", "a"), of("two", "b")]],
    ["import-image", 24, [noise("app:1"), noise("app:2")]],
  ] as const)(
    "killed at random instants inside %s, it leaves nothing that the next one does not mend",
    async (kind, ofAll, sides) => {
      const times = Math.ceil(ofAll / ONE_OF);
      await using fleet = new ContainerdFleet(containerd.address);
      fleet.image("app:1", 4 * MEBIBYTE);
      fleet.image("app:2", 4 * MEBIBYTE);
      const story = await KillStory.open(fleet, sides);
      let durationMs = 200;
      let inside = 0;
      for (let tries = 1; inside < times; tries += 1) {
        expect(tries, `${inside} kills were inside`).toBeLessThan(4 * times);
        const tookMs = await killInside(story.turn(), kind, durationMs);
        if (tookMs === undefined) inside += 1;
        else durationMs = tookMs;
        await story.expectMended(`kill ${tries}`);
      }
    },
    600_000,
  );
});
