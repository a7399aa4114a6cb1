import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeImage } from "../../scripts/lib/make-image.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult, Figure } from "../lib/benchmark.ts";
import { copySimHosts } from "../lib/copy-sim-host.ts";
import { type NodeRun, runForPeakMemory } from "../lib/peak-memory.ts";
import { simFleet } from "../lib/sim-fleet.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const HOSTS = 1000;
const SIZES = [10_000, 50_000, 100_000] as const;
/** Time per pod of the largest fleet against that of the smallest; 1 is linear. */
const GROWTH_MAX = 1.5;
const PEAK_MEGABYTES_MAX = 1000;

/** Plans of one size. */
interface Measured {
  readonly pods: number;
  /** In which every pod is new. */
  readonly first: NodeRun;
  /** In which there is nothing to do. */
  readonly noop: NodeRun;
}

/** `stowage plan` over simulated hosts, as the shipped command line does it in its one process. */
export const planSim: Benchmark = {
  name: "plan-sim",
  title: `plan of ${SIZES.map((pods) => `${pods / 1000}k`).join(", ")} pods over ${HOSTS} simulated hosts`,
  run: measure,
};

async function measure({ divisor, signal, log }: BenchmarkContext): Promise<BenchmarkResult> {
  const hosts = Math.ceil(HOSTS / divisor);
  const main = stowageMain();
  const dir = mkdtempSync(join(tmpdir(), "stw-plan-sim-"));
  try {
    const found: Measured[] = [];
    for (const size of SIZES) {
      const podsPerHost = Math.ceil(size / HOSTS);
      const measured = await measureSize({ main, dir, hosts, podsPerHost, signal });
      log(sizeWords(measured));
      found.push(measured);
    }
    return {
      figures: figuresOf(found),
      notes: [
        `${hosts} hosts, each in a JSON file, one container a pod; a first plan prints every pod, and its manifest has up to 40 MB.`,
        "Times hold Node's start, reading and checking the manifest, looking at every host, planning and printing.",
      ],
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Size {
  readonly main: string;
  readonly dir: string;
  readonly hosts: number;
  readonly podsPerHost: number;
  readonly signal: AbortSignal;
}

async function measureSize(size: Size): Promise<Measured> {
  const { main, hosts, podsPerHost, signal } = size;
  const dir = join(size.dir, String(podsPerHost));
  mkdirSync(dir);
  const image = makeImage({
    out: join(dir, "image"),
    reference: "localhost/app:1",
    files: new Map([["/app", { content: "app\n" }]]),
  });
  const write = (name: string, onlyFirst: boolean) => {
    const path = join(dir, name);
    const fleet = simFleet({ hosts, podsPerHost, onlyFirst, dir, image });
    writeFileSync(path, JSON.stringify(fleet));
    return path;
  };
  const [manifest, seed] = [write("fleet.json", false), write("seed.json", true)];
  const plan = (exitCode: number) =>
    runForPeakMemory([main, "plan", "-f", manifest], { signal, exitCodes: [exitCode] });
  const first = await plan(2);
  await timeCommand(process.execPath, [main, "apply", "-f", seed, "--yes"], { signal });
  copySimHosts(dir, hosts);
  const noop = await plan(0);
  rmSync(dir, { recursive: true, force: true });
  return { pods: hosts * podsPerHost, first, noop };
}

function figuresOf(found: readonly Measured[]): readonly Figure[] {
  const [smallest, middle, largest] = found;
  if (smallest === undefined || middle === undefined || largest === undefined) return [];
  const kinds = [
    { words: "first plan", key: "first" },
    { words: "plan with nothing to do", key: "noop" },
  ] as const;
  return kinds.flatMap(({ words, key }) => {
    const perPod = (size: Measured) => size[key].ms / size.pods;
    // what every host and the start cost falls out of a difference
    const perFurtherPod = (from: Measured, to: Measured) =>
      (to[key].ms - from[key].ms) / (to.pods - from.pods);
    return [
      {
        name: `${words}: time per pod, ${thousands(largest)} / ${thousands(smallest)}`,
        value: perPod(largest) / perPod(smallest),
        unit: "x",
        atMost: GROWTH_MAX,
      },
      {
        name: `${words}: time per further pod, above / below ${thousands(middle)}`,
        value: perFurtherPod(middle, largest) / perFurtherPod(smallest, middle),
        unit: "x",
      },
      {
        name: `${words}: peak memory, ${thousands(largest)}`,
        value: largest[key].peakBytes / 1e6,
        unit: "MB",
        atMost: PEAK_MEGABYTES_MAX,
      },
      ...found.map(
        (size): Figure => ({
          name: `${words}: time per pod, ${thousands(size)}`,
          value: perPod(size) * 1000,
          unit: "us",
        }),
      ),
    ] satisfies Figure[];
  });
}

function thousands({ pods }: Measured): string {
  return `${pods / 1000}k`;
}

function sizeWords({ pods, first, noop }: Measured): string {
  const words = ({ ms, peakBytes }: NodeRun) =>
    `${(ms / 1000).toFixed(1)} s and ${(peakBytes / 1e6).toFixed(0)} MB`;
  return `${pods} pods: first plan ${words(first)}, nothing to do ${words(noop)}`;
}
