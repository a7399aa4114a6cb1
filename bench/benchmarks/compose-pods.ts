import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { whyNoOtherVersions } from "../../scripts/lib/engine-matrix/engine-files.ts";
import { whyNoPrivateContainerd } from "../../scripts/lib/private-containerd.ts";
import { NetworkMachine } from "../../test/support/network-machine.ts";
import { COMMAND, STOP_SIGNAL } from "../lib/bench-fleet.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult, Figure } from "../lib/benchmark.ts";
import { FIRST_PORT, writeBridgeFleet } from "../lib/bridge-fleet.ts";
import { type ContainerdLab, openContainerdLab } from "../lib/containerd-lab.ts";
import { DOCKER_IMAGE, type DockerLab, openDockerLab } from "../lib/docker-lab.ts";
import { openRuncPods } from "../lib/runc-pods.ts";
import { median, medianRatio, type Pair } from "../lib/statistics.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const SIZES = [50, 200];
const MODES = ["none", "bridge"] as const;
type Mode = (typeof MODES)[number];

/** What is measured of both, and what Stowage's part of it may be. */
const STEPS = ["up", "no-op", "down"] as const;
type Step = (typeof STEPS)[number];
const BOUNDS: Readonly<Record<Mode, Readonly<Record<Step, number>>>> = {
  none: { up: 0.5, "no-op": 2, down: 1 },
  bridge: { up: 1, "no-op": 2, down: 1 },
};

/** `stowage apply` and `destroy` on containerd, against docker compose on dockerd. */
export const composePods: Benchmark = {
  name: "compose-pods",
  title: `${SIZES.join(" and ")} pods up, unchanged and down, against docker compose`,
  whyNot: () => whyNoPrivateContainerd() ?? whyNoOtherVersions(),
  run: measure,
};

/** Runs a step; returns its milliseconds. */
type Side = (step: Step) => Promise<number>;

async function measure(context: BenchmarkContext): Promise<BenchmarkResult> {
  await using containerd = await openContainerdLab();
  await using docker = await openDockerLab(containerd.image, context.signal);
  const machine = new NetworkMachine();
  try {
    const keeper = containerd.writeFleet("keeper", 1);
    const stowage = (manifest: string, word: string) =>
      stowageIn(machine, containerd, context, word, "-f", manifest, "--yes");
    // a second fleet holds the image, so that it is there whenever the first is applied
    await stowage(keeper, "apply");
    const figures: Figure[] = [];
    for (const size of SIZES) {
      const pods = Math.ceil(size / context.divisor);
      for (const mode of MODES) {
        const manifest =
          mode === "none"
            ? containerd.writeFleet(mode, pods)
            : writeBridgeFleet(containerd, mode, pods);
        const ours: Side = (step) => stowage(manifest, step === "down" ? "destroy" : "apply");
        const theirs = composeOf(docker, mode, pods);
        const rounds = await measureRounds(ours, theirs, context, `${pods} pods, ${mode}`);
        figures.push(...figuresOf(size, mode, rounds));
        if (mode === "bridge") continue;
        const leastMs = await measureLeast(containerd, ours, pods, context);
        figures.push(leastOf(size, leastMs, rounds));
      }
    }
    await stowage(keeper, "destroy");
    return { figures, notes: NOTES };
  } finally {
    machine.close();
  }
}

const NOTES = [
  "Debian sid's dockerd and compose, with a data root, a socket and a network namespace of their own; Stowage in another one, on the containerd that is installed.",
  "The same busybox, ended by SIGKILL on both sides; the image is present. bridge: one network of the fleet, one published port a pod.",
  "runc alone: the same spec, eight at a time, on one root file system: no engine, no snapshot, no shim, no log.",
  "Stowage waits 0.4 s for what it started; compose does not look whether it runs.",
];

type Rounds = Readonly<Record<Step, Pair[]>>;

/** What the runtime that is in both needs for as many, with nothing around it. */
async function measureLeast(
  lab: ContainerdLab,
  ours: Side,
  pods: number,
  { pairs, signal, log }: BenchmarkContext,
): Promise<number> {
  await ours("up");
  const runc = openRuncPods(lab, pods, signal);
  const times: number[] = [];
  for (let round = 0; round < pairs; round += 1) {
    times.push(await runc.run());
    await runc.remove();
  }
  await ours("down");
  const ms = median(times);
  log(`${pods} pods, none: runc alone ${(ms / 1000).toFixed(1)} s`);
  return ms;
}

function leastOf(size: number, ms: number, { up }: Rounds): Figure {
  const theirsMs = median(up.map((pair) => pair.theirsMs));
  return { name: `${size} pods, none: runc alone / compose`, value: ms / theirsMs, unit: "x" };
}

async function measureRounds(
  ours: Side,
  theirs: Side,
  { pairs, log }: BenchmarkContext,
  what: string,
): Promise<Rounds> {
  const rounds: Rounds = { up: [], "no-op": [], down: [] };
  for (let round = 0; round < pairs; round += 1) {
    const found = new Map<Side, Record<Step, number>>();
    for (const side of round % 2 === 0 ? [ours, theirs] : [theirs, ours]) {
      const times: Record<Step, number> = { up: 0, "no-op": 0, down: 0 };
      for (const step of STEPS) times[step] = await side(step);
      found.set(side, times);
    }
    for (const step of STEPS) {
      const pair = {
        oursMs: found.get(ours)?.[step] ?? 0,
        theirsMs: found.get(theirs)?.[step] ?? 0,
      };
      rounds[step].push(pair);
    }
    const words = STEPS.map((step) => {
      const { oursMs = 0, theirsMs = 0 } = rounds[step].at(-1) ?? {};
      return `${step} ${(oursMs / 1000).toFixed(1)} s, compose ${(theirsMs / 1000).toFixed(1)} s`;
    });
    log(`${what}, round ${round + 1} of ${pairs}: ${words.join("; ")}`);
  }
  return rounds;
}

function figuresOf(size: number, mode: Mode, rounds: Rounds): readonly Figure[] {
  const name = `${size} pods, ${mode}`;
  return STEPS.flatMap((step): readonly Figure[] => [
    {
      name: `${name}: ${step} / compose`,
      value: medianRatio(rounds[step]),
      unit: "x",
      atMost: BOUNDS[mode][step],
    },
    {
      name: `${name}: ${step}`,
      value: median(rounds[step].map(({ oursMs }) => oursMs)),
      unit: "ms",
    },
  ]);
}

async function stowageIn(
  machine: NetworkMachine,
  lab: ContainerdLab,
  { signal }: BenchmarkContext,
  ...args: readonly string[]
): Promise<number> {
  const [program, ...words] = machine.inside([process.execPath, stowageMain(), ...args]);
  return await timeCommand(program, words, { signal, cwd: lab.dir });
}

/** The same by compose. */
function composeOf({ dir, docker }: DockerLab, mode: Mode, pods: number): Side {
  const services = Array.from({ length: pods }, (_, at) => [
    `pod-${at + 1}`,
    {
      image: DOCKER_IMAGE,
      command: COMMAND,
      stop_signal: STOP_SIGNAL,
      ...(mode === "none"
        ? { network_mode: "none" }
        : { networks: ["front"], ports: [`${FIRST_PORT + at}:8080`] }),
    },
  ]);
  const networks =
    mode === "none"
      ? {}
      : { networks: { front: { ipam: { config: [{ subnet: "10.201.0.0/16" }] } } } };
  const file = join(dir, `${mode}-${pods}.json`);
  writeFileSync(
    file,
    JSON.stringify({ name: mode, services: Object.fromEntries(services), ...networks }),
  );
  const compose = (...words: readonly string[]) => docker("compose", "-f", file, ...words);
  return async (step) => (step === "down" ? compose("down") : compose("up", "--detach"));
}
