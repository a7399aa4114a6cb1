import { whyNoPrivateContainerd } from "../../scripts/lib/private-containerd.ts";
import { StowageError } from "../../src/errors/index.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult, Figure } from "../lib/benchmark.ts";
import { type ContainerdLab, openContainerdLab, STOWAGE_NAMESPACE } from "../lib/containerd-lab.ts";
import { type CtrPods, ctrOutput, openCtrPods } from "../lib/ctr-pods.ts";
import { compareSpecs } from "../lib/runtime-spec.ts";
import { median } from "../lib/statistics.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const PODS = 100;
const APPLY_RATIO_MAX = 1.15;
const REMOVE_RATIO_MAX = 1;

/** Milliseconds of one round. */
interface Round {
  readonly apply: number;
  readonly destroy: number;
  readonly run: number;
  readonly remove: number;
  readonly runSilent: number;
}

/** `stowage apply` and `destroy`, against containerd's own command line run eight at a time. */
export const applyPods: Benchmark = {
  name: "apply-pods",
  title: `apply and destroy of ${PODS} pods, against xargs -P8 ctr run -d, kill and rm`,
  whyNot: whyNoPrivateContainerd,
  run: measure,
};

async function measure(context: BenchmarkContext): Promise<BenchmarkResult> {
  const { pairs, signal, log } = context;
  const pods = Math.ceil(PODS / context.divisor);
  const main = stowageMain();
  await using lab = await openContainerdLab();
  const stowage = (...args: string[]) =>
    timeCommand(process.execPath, [main, ...args], { signal, cwd: lab.dir });
  // a second fleet holds the image, so that it is there whenever the first is applied
  const keeper = lab.writeFleet("keeper", 1);
  await stowage("apply", "-f", keeper, "--yes");
  const theirs = await openCtrPods(lab, pods, signal);
  const manifest = lab.writeFleet("many", pods);
  const ours = {
    apply: () => stowage("apply", "-f", manifest, "--yes"),
    destroy: () => stowage("destroy", "-f", manifest, "--yes"),
  };
  const rounds: Round[] = [];
  let specs: ReturnType<CtrPods["compareSpecs"]> | undefined;
  for (let index = 0; index < pairs; index += 1) {
    const round = await measureRound(lab, pods, ours, theirs, index, () => {
      specs ??= theirs.compareSpecs();
    });
    rounds.push(round);
    log(`round ${index + 1} of ${pairs}: ${roundWords(round)}`);
  }
  await stowage("destroy", "-f", keeper, "--yes");
  return { figures: figuresOf(rounds), notes: notesOf(pods, specs) };
}

async function measureRound(
  lab: ContainerdLab,
  pods: number,
  ours: { readonly apply: () => Promise<number>; readonly destroy: () => Promise<number> },
  theirs: CtrPods,
  index: number,
  whenTheirsRun: () => void,
): Promise<Round> {
  const runOurs = async () => {
    const apply = await ours.apply();
    requireRunning(lab, STOWAGE_NAMESPACE, pods + 1);
    return { apply, destroy: await ours.destroy() };
  };
  const runTheirs = async () => {
    const run = await theirs.run("logged");
    requireRunning(lab, "bench", pods);
    whenTheirsRun();
    return { run, remove: await theirs.remove() };
  };
  const runSilently = async () => {
    const runSilent = await theirs.run("null");
    requireRunning(lab, "bench", pods);
    await theirs.remove();
    return { runSilent };
  };
  // each goes first, second and last in turn
  const order: readonly (() => Promise<Partial<Round>>)[] = [runOurs, runTheirs, runSilently];
  const found: Partial<Round>[] = [];
  for (let step = 0; step < order.length; step += 1) {
    const next = order[(index + step) % order.length];
    if (next !== undefined) found.push(await next());
  }
  return Object.assign({}, ...found) as Round;
}

function requireRunning(lab: ContainerdLab, namespace: string, expected: number): void {
  const running = ctrOutput(lab, namespace, "tasks", "ls").split("RUNNING").length - 1;
  if (running === expected) return;
  throw new StowageError(
    `Cannot measure: ${running} containers run in namespace ${namespace}, not ${expected}`,
    { code: "internal" },
  );
}

function figuresOf(rounds: readonly Round[]): readonly Figure[] {
  const ratio = (ours: keyof Round, theirs: keyof Round) =>
    median(rounds.map((round) => round[ours] / round[theirs]));
  const ms = (name: string, key: keyof Round): Figure => ({
    name,
    value: median(rounds.map((round) => round[key])),
    unit: "ms",
  });
  return [
    {
      name: "apply / ctr run, both logging",
      value: ratio("apply", "run"),
      unit: "x",
      atMost: APPLY_RATIO_MAX,
    },
    { name: "apply / ctr run --null-io", value: ratio("apply", "runSilent"), unit: "x" },
    {
      name: "destroy / ctr kill + rm",
      value: ratio("destroy", "remove"),
      unit: "x",
      atMost: REMOVE_RATIO_MAX,
    },
    ms("apply", "apply"),
    ms("ctr run, logging", "run"),
    ms("ctr run --null-io", "runSilent"),
    ms("destroy", "destroy"),
    ms("ctr kill + rm", "remove"),
  ];
}

function notesOf(pods: number, specs: ReturnType<CtrPods["compareSpecs"]> | undefined): string[] {
  if (specs === undefined) return [];
  const { same, different } = compareSpecs(specs.ours, specs.theirs);
  return [
    `${pods} pods without a network, SIGKILL to end them, the image unpacked in both namespaces.`,
    `The two runtime specs are the same in: ${same.join(", ")}.`,
    ...(different.length === 0 ? [] : [`They differ in: ${different.join("; ")}.`]),
  ];
}

function roundWords({ apply, destroy, run, remove, runSilent }: Round): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  return `apply ${seconds(apply)} s, ctr run ${seconds(run)} s (null-io ${seconds(runSilent)} s); destroy ${seconds(destroy)} s, ctr kill + rm ${seconds(remove)} s`;
}
