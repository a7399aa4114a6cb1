import { StowageError } from "../../src/errors/index.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult, Figure } from "../lib/benchmark.ts";
import { openPodmanLab, PODMAN_ENV, type PodmanLab, whyNoPodmanLab } from "../lib/podman-lab.ts";
import { openPodmanRun, type PodmanRun } from "../lib/podman-run.ts";
import { measurePairs, median, medianRatio, type Pair } from "../lib/statistics.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const PODS = 50;
const APPLY_RATIO_MAX = 1.15;
const PLAN_RATIO_MAX = 1.5;

/** `stowage apply` and `plan` on podman, against podman's own command line. */
export const podmanPods: Benchmark = {
  name: "podman-pods",
  title: `apply of ${PODS} pods, against xargs -P8 podman run -d; plan, against podman's lists`,
  whyNot: whyNoPodmanLab,
  run: measure,
};

async function measure(context: BenchmarkContext): Promise<BenchmarkResult> {
  const { pairs, signal, log } = context;
  const pods = Math.ceil(PODS / context.divisor);
  const main = stowageMain();
  await using lab = await openPodmanLab();
  const stowage = (...args: string[]) =>
    timeCommand(process.execPath, [main, ...args], { signal, cwd: lab.dir });
  // a second fleet holds the image, so that it is there whenever the first is applied
  const keeper = lab.writeFleet("keeper", 1);
  await stowage("apply", "-f", keeper, "--yes");
  const theirs = openPodmanRun(lab, pods, signal);
  const manifest = lab.writeFleet("many", pods);
  const applied = await measurePairs(
    pairs,
    async () => {
      const ms = await stowage("apply", "-f", manifest, "--yes");
      requireRunning(lab, pods + 1);
      await stowage("destroy", "-f", manifest, "--yes");
      log(`apply ${(ms / 1000).toFixed(1)} s`);
      return ms;
    },
    async () => await runTheirs(lab, theirs, pods, log),
  );
  await stowage("apply", "-f", manifest, "--yes");
  const plan = () => stowage("plan", "-f", manifest);
  const lists = () => listWithPodman(lab, signal);
  await plan();
  await lists();
  // short, so measured more often
  const planned = await measurePairs(3 * pairs, plan, lists);
  await stowage("destroy", "-f", manifest, "--yes");
  await stowage("destroy", "-f", keeper, "--yes");
  return { figures: figuresOf(applied, planned), notes: notesOf(pods) };
}

async function runTheirs(
  lab: PodmanLab,
  theirs: PodmanRun,
  pods: number,
  log: (line: string) => void,
): Promise<number> {
  const ms = await theirs.run();
  requireRunning(lab, pods + 1);
  await theirs.remove();
  log(`podman run ${(ms / 1000).toFixed(1)} s`);
  return ms;
}

function requireRunning({ podman }: PodmanLab, expected: number): void {
  const running = podman.run("ps", "--quiet").split("\n").filter(Boolean).length;
  if (running === expected) return;
  throw new StowageError(`Cannot measure: ${running} containers run, not ${expected}`, {
    code: "internal",
  });
}

/** What an observer of all containers has to ask at least, and the start of a Node. */
async function listWithPodman({ podman }: PodmanLab, signal: AbortSignal): Promise<number> {
  const { program } = podman.config;
  const ids = podman.run("ps", "--all", "--quiet", "--no-trunc").split("\n").filter(Boolean);
  const options = { signal, env: PODMAN_ENV };
  const list = await timeCommand(
    program,
    [...podman.flags, "ps", "--all", "--format", "json"],
    options,
  );
  const inspect = await timeCommand(program, [...podman.flags, "inspect", ...ids], options);
  return list + inspect + (await timeCommand(process.execPath, ["-e", "0"], options));
}

function figuresOf(applied: readonly Pair[], planned: readonly Pair[]): readonly Figure[] {
  const ms = (name: string, pairs: readonly Pair[], key: keyof Pair): Figure => ({
    name,
    value: median(pairs.map((pair) => pair[key])),
    unit: "ms",
  });
  return [
    {
      name: "apply / podman run",
      value: medianRatio(applied),
      unit: "x",
      atMost: APPLY_RATIO_MAX,
    },
    {
      name: "plan / (ps + inspect + node -e 0)",
      value: medianRatio(planned),
      unit: "x",
      atMost: PLAN_RATIO_MAX,
    },
    ms("apply", applied, "oursMs"),
    ms("xargs -P8 podman run -d", applied, "theirsMs"),
    ms("plan with nothing to do", planned, "oursMs"),
    ms("podman ps, podman inspect, node -e 0", planned, "theirsMs"),
  ];
}

function notesOf(pods: number): readonly string[] {
  return [
    `${pods} pods without a network, the image in the store.`,
    "podman run gets the words that Stowage gave podman, but for the name and the labels' prefix.",
  ];
}
