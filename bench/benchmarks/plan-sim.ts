import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MadeImage, makeImage } from "../../scripts/lib/make-image.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult, Figure } from "../lib/benchmark.ts";
import { bundleProgram } from "../lib/bundle-program.ts";
import { runForPeakMemory } from "../lib/peak-memory.ts";
import { simFleet } from "../lib/sim-fleet.ts";
import { median } from "../lib/statistics.ts";
import type { PlanSimMeasurement } from "../plan-sim-worker.ts";

const HOSTS = 1000;
const SIZES = [10_000, 50_000, 100_000] as const;
const WORKER = join(import.meta.dirname, "../plan-sim-worker.ts");
/** Time per pod of the largest fleet against that of the smallest; 1 is linear. */
const GROWTH_MAX = 1.5;
const PEAK_MEGABYTES_MAX = 1000;

interface Measured {
  readonly pods: number;
  readonly firstMs: number;
  readonly noopMs: number;
  readonly peakBytes: number;
}

/** `plan` over simulated hosts, alone in its process. */
export const planSim: Benchmark = {
  name: "plan-sim",
  title: `plan of ${SIZES.map((pods) => `${pods / 1000}k`).join(", ")} pods over ${HOSTS} simulated hosts`,
  needsContainerd: false,
  run: measure,
};

async function measure(context: BenchmarkContext): Promise<BenchmarkResult> {
  const { divisor, log } = context;
  const hosts = Math.ceil(HOSTS / divisor);
  const dir = mkdtempSync(join(tmpdir(), "stw-sim-"));
  try {
    const worker = join(dir, "worker.mjs");
    await bundleProgram(WORKER, worker);
    const image = tinyImage(dir);
    const found: Measured[] = [];
    for (const pods of SIZES.map((size) => Math.ceil(size / divisor))) {
      const manifest = join(dir, `${pods}.json`);
      writeFileSync(manifest, JSON.stringify(simFleet({ hosts, pods, image })));
      const measured = await measureSize(context, { worker, manifest, pods });
      log(
        `${pods} pods: first plan ${seconds(measured.firstMs)}, plan with nothing to do ${seconds(measured.noopMs)}`,
      );
      found.push(measured);
    }
    return { figures: figuresOf(found), notes: notesOf(hosts) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
