import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApplyEvent } from "../../src/reconcile/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ApplyProgram } from "../support/apply-program.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";
import { ContainerdLab } from "../support/engines/containerd-lab.ts";
import { ONE_OF } from "../support/every-kill.ts";
import { KillStory } from "../support/kill-story.ts";
import { MachineFleet } from "../support/machine-fleet.ts";

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
   * @param within where it is run
   * @returns how long it took where it was over before
   */
  async function killInside(
    manifest: string,
    kind: string,
    durationMs: number,
    within?: Parameters<ApplyProgram["start"]>[2],
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
    await program.start({ manifest }, onEvent, within).ended;
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
      await killTimes(await KillStory.open(fleet, sides), kind, times);
    },
    600_000,
  );

  // what a killed Stowage has begun goes on beside the next one
  test.each([
    ["prepare", 9],
    ["start", 18],
    ["stop", 6],
  ] as const)(
    "killed at random instants inside %s of a pod in a network, it leaves no interface, address or rule",
    async (kind, ofAll) => {
      await using fleet = new MachineFleet(() => new ContainerdLab(containerd.address));
      fleet.image("app:1");
      const front = (value: string, ports: object) => ({
        web: {
          network: { mode: "bridge", name: "front" },
          ports: [ports],
          containers: { main: { ...run, env: { OF: value } } },
        },
      });
      const sides = [
        front("a", { host: 18080, container: 8080 }),
        front("b", { host: 18081, container: 8080, protocol: "udp" }),
      ] as const;
      const story = await KillStory.open(fleet, sides, { networks: { front: {} } });
      await killTimes(story, kind, Math.ceil(ofAll / ONE_OF), (command) =>
        fleet.machine.inside(command),
      );
    },
    600_000,
  );

  async function killTimes(
    story: KillStory,
    kind: string,
    times: number,
    within?: Parameters<ApplyProgram["start"]>[2],
  ): Promise<void> {
    let durationMs = 200;
    let inside = 0;
    for (let tries = 1; inside < times; tries += 1) {
      expect(tries, `${inside} kills were inside`).toBeLessThan(6 * times);
      const tookMs = await killInside(story.turn(), kind, durationMs, within);
      if (tookMs === undefined) inside += 1;
      else durationMs = tookMs;
      await story.expectMended(`kill ${tries}`);
    }
  }
});
