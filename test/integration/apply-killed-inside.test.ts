import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApplyEvent } from "../../src/reconcile/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ApplyProgram } from "../support/apply-program.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";
import { ContainerdLab } from "../support/engines/containerd-lab.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { EVERY_KILL, ONE_OF } from "../support/every-kill.ts";
import { killAtEachCall } from "../support/kill-at-each-call.ts";
import { KillStory } from "../support/kill-story.ts";
import { MachineFleet } from "../support/machine-fleet.ts";

const run = { image: "app:1", command: ["sleep", "100000"], stopSignal: "SIGKILL" };
const MEBIBYTE = 1024 * 1024;
/** The calls that write them are cut by others as well. */
const ONE_OF_FILES = 5;

const program = new ApplyProgram();
beforeAll(() => program.build());
afterAll(() => program[Symbol.dispose]());

for (const [kind, first] of [
  ["containerd", 1],
  ["podman", 2],
  ["rkt", 3],
] as const) {
  describeWithEngine(kind, `an apply on ${kind}, killed inside its files`, (provided) => {
    test("killed where a file is written and has not its place, it leaves nothing of it", async () => {
      await using fleet = new MachineFleet((places) => openLab(kind, provided, places));
      for (const reference of ["app:1", "app:2"]) fleet.image(reference);
      const side = (image: string, of: string, port: number, rest: object) => ({
        front: {
          network: { mode: "bridge", name: "front" },
          ports: [{ host: port, container: 8080 }],
          containers: { main: { ...run, image } },
        },
        several: { containers: { one: { ...run, env: { OF: of } }, two: run } },
        live: { containers: { main: { ...run, resources: { pidsMax: port % 100 } } } },
        ...rest,
      });
      const files = { "/etc/one.conf": { content: "one" } };
      const sides = [
        side("app:1", "a", 18080, { passing: { containers: { main: { ...run, files } } } }),
        side("app:2", "b", 18081, {}),
      ] as const;
      const story = await KillStory.open(fleet, sides, { networks: { front: {} } });
      const kills = await killAtEachCall(
        async (nth) => {
          const order = { manifest: story.turn(), kill: { nth, phase: "unplaced" as const } };
          const within = (command: readonly string[]) => fleet.machine.inside(command);
          const { signal } = await program.start(order, undefined, within).ended;
          await story.expectMended(`killed before file ${nth} had its place`);
          return signal === "SIGKILL";
        },
        first,
        ONE_OF_FILES,
      );
      expect(kills).toBeGreaterThanOrEqual(EVERY_KILL ? 12 : 2);
    }, 900_000);
  });
}

describeWithEngine("containerd", "an apply on containerd, killed inside a call", (containerd) => {
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
