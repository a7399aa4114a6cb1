import { StowageError } from "../../src/errors/index.ts";
import { SETTLE_MS } from "../../src/reconcile/apply-request.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult, Figure } from "../lib/benchmark.ts";
import { openRktLab, podProcesses, type RktLab, whyNoRktLab } from "../lib/rkt-lab.ts";
import { type LoopKind, openRktLoop } from "../lib/rkt-loop.ts";
import { measurePairs, median, medianRatio, type Pair } from "../lib/statistics.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const PODS = 20;
const APPLY_RATIO_MAX = 1.25;
const PLAN_RATIO_MAX = 1.5;

interface Measured {
  readonly applied: readonly Pair[];
  /** A plan, less one batched read, against what rkt and Node take. */
  readonly planned: readonly Pair[];
  /** What one program takes to read what is kept of the pods. */
  readonly readMs: number;
  readonly bareMs: number;
}

/** `stowage apply` and `plan` on the real rkt, against its own command line. */
export const rktPods: Benchmark = {
  name: "rkt-pods",
  title: `apply of ${PODS} pods, against a parallel loop of prepare and run-prepared; plan, against rkt list`,
  whyNot: whyNoRktLab,
  run: measure,
};

async function measure(context: BenchmarkContext): Promise<BenchmarkResult> {
  const { pairs, signal, log } = context;
  const pods = Math.ceil(PODS / context.divisor);
  const main = stowageMain();
  await using lab = await openRktLab();
  const stowage = (...args: string[]) =>
    timeCommand(process.execPath, [main, ...args], { signal, cwd: lab.dir });
  const manifest = lab.writeFleet("many", pods);
  await stowage("apply", "-f", manifest, "--yes");
  const loop = openRktLoop(lab, 1, signal);
  await stowage("destroy", "-f", manifest, "--yes");
  // a second fleet holds the image, so that it is there whenever the first is applied
  const keeper = lab.writeFleet("keeper", 1);
  await stowage("apply", "-f", keeper, "--yes");
  const apply = async () => {
    const ms = await stowage("apply", "-f", manifest, "--yes");
    requireRunning(lab, pods + 1);
    await stowage("destroy", "-f", manifest, "--yes");
    log(`apply ${(ms / 1000).toFixed(2)} s`);
    return ms;
  };
  const runLoop = async (kind: LoopKind) => {
    const ms = await loop.run(kind);
    requireRunning(lab, pods + 1);
    await loop.remove();
    log(`loop, ${kind}, ${(ms / 1000).toFixed(2)} s`);
    return ms;
  };
  const applied = await measurePairs(pairs, apply, () => runLoop("same"));
  const bareMs: number[] = [];
  for (let round = 0; round < pairs; round += 1) bareMs.push(await runLoop("bare"));
  await stowage("apply", "-f", manifest, "--yes");
  const read = () => readOnce(lab, signal);
  const readMs = median([await read(), await read(), await read()]);
  const plan = async () => (await stowage("plan", "-f", manifest)) - readMs;
  const list = () => listWithRkt(lab, signal);
  await plan();
  await list();
  // short, so measured more often
  const planned = await measurePairs(3 * pairs, plan, list);
  await stowage("destroy", "-f", manifest, "--yes");
  await stowage("destroy", "-f", keeper, "--yes");
  const measured = { applied, planned, readMs, bareMs: median(bareMs) };
  return { figures: figuresOf(measured), notes: notesOf(pods) };
}

function requireRunning({ dataDir }: RktLab, expected: number): void {
  const running = podProcesses(dataDir).length;
  if (running === expected) return;
  throw new StowageError(`Cannot measure: ${running} pods run, not ${expected}`, {
    code: "internal",
  });
}

/** What an observer of all pods has to ask at least, and the start of a Node. */
async function listWithRkt(lab: RktLab, signal: AbortSignal): Promise<number> {
  const [program, ...args] = lab.rkt("list", "--format=json");
  const listed = await timeCommand(program, args, { signal });
  return listed + (await timeCommand(process.execPath, ["-e", "0"], { signal }));
}

/** Reads every file that rkt and Stowage keep of pods, in one program. */
async function readOnce({ dataDir, podsDir }: RktLab, signal: AbortSignal): Promise<number> {
  const files = ["-maxdepth", "2", "-type", "f", "-exec", "cat", "{}", "+"];
  return await timeCommand("find", [`${dataDir}/pods/run`, podsDir, ...files], { signal });
}

function figuresOf({ applied, planned, readMs, bareMs }: Measured): readonly Figure[] {
  const ms = (name: string, pairs: readonly Pair[], key: keyof Pair): Figure => ({
    name,
    value: median(pairs.map((pair) => pair[key])),
    unit: "ms",
  });
  return [
    {
      name: "apply / loop that runs the same pods",
      value: medianRatio(applied),
      unit: "x",
      atMost: APPLY_RATIO_MAX,
    },
    {
      name: "apply less the time that a start has to last / the same loop",
      value: medianRatio(applied.map((pair) => ({ ...pair, oursMs: pair.oursMs - SETTLE_MS }))),
      unit: "x",
    },
    {
      name: "(plan - one batched read) / (rkt list + node -e 0)",
      value: medianRatio(planned),
      unit: "x",
      atMost: PLAN_RATIO_MAX,
    },
    ms("apply", applied, "oursMs"),
    ms("loop that runs the same pods", applied, "theirsMs"),
    { name: "loop of bare prepare, run-prepared", value: bareMs, unit: "ms" },
    ms("plan with nothing to do, less the read", planned, "oursMs"),
    { name: "one batched read", value: readMs, unit: "ms" },
    ms("rkt list --format=json, node -e 0", planned, "theirsMs"),
  ];
}

function notesOf(pods: number): readonly string[] {
  return [
    `${pods} pods without a network on stage1 fly, the image in the store; the loop gives rkt the pod manifests that Stowage gave it.`,
    "Both sides end when the last process is the app's own. The same pods have mounts, a host name and an empty network of their own, no new privileges, and the same writer of output; Stowage makes them cgroups and keeps their end as well.",
  ];
}
