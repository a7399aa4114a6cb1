import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeImage } from "../../scripts/lib/make-image.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult } from "../lib/benchmark.ts";
import { copySimHosts } from "../lib/copy-sim-host.ts";
import { type NodeRun, runForPeakMemory } from "../lib/peak-memory.ts";
import { simFleet } from "../lib/sim-fleet.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const HOSTS = 1000;
const PODS = 100;
const LATENCY_MS = 20;
const PARALLELISM = 64;
/** One after the other, of a host. */
const CALLS = 3;
const RATIO_MAX = 1.5;
const PEAK_MEGABYTES_MAX = 1000;

/** `stowage plan` over hosts that each take their time to answer. */
export const planLatency: Benchmark = {
  name: "plan-latency",
  title: `plan of ${HOSTS} simulated hosts with ${PODS} pods each, ${LATENCY_MS} ms a call, nothing to do`,
  run: measure,
};

async function measure({ divisor, signal, log }: BenchmarkContext): Promise<BenchmarkResult> {
  const hosts = Math.ceil(HOSTS / divisor);
  const dir = mkdtempSync(join(tmpdir(), "stw-plan-latency-"));
  try {
    const without = await planOf(join(dir, "without"), hosts, undefined, signal);
    log(`without latency ${words(without)}`);
    const slow = await planOf(join(dir, "with"), hosts, LATENCY_MS, signal);
    log(`with ${LATENCY_MS} ms a call ${words(slow)}`);
    const waitingMs = (LATENCY_MS * CALLS * hosts) / PARALLELISM;
    return {
      figures: [
        {
          name: `plan / (${CALLS} calls of each host, ${PARALLELISM} hosts at once + plan without latency)`,
          value: slow.ms / (waitingMs + without.ms),
          unit: "x",
          atMost: RATIO_MAX,
        },
        {
          name: "peak memory",
          value: slow.peakBytes / 1e6,
          unit: "MB",
          atMost: PEAK_MEGABYTES_MAX,
        },
        { name: "plan", value: slow.ms, unit: "ms" },
        { name: "plan without latency", value: without.ms, unit: "ms" },
      ],
      notes: [`The waiting alone is ${waitingMs.toFixed(0)} ms.`],
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function planOf(
  dir: string,
  hosts: number,
  latencyMs: number | undefined,
  signal: AbortSignal,
): Promise<NodeRun> {
  mkdirSync(dir);
  const main = stowageMain();
  const image = makeImage({
    out: join(dir, "image"),
    reference: "localhost/app:1",
    files: new Map([["/app", { content: "app\n" }]]),
  });
  const write = (name: string, onlyFirst: boolean): string => {
    const path = join(dir, name);
    const fleet = simFleet({
      hosts,
      podsPerHost: PODS,
      onlyFirst,
      dir,
      image,
      ...(latencyMs === undefined ? {} : { latencyMs }),
    });
    writeFileSync(path, JSON.stringify(fleet));
    return path;
  };
  const [manifest, seed] = [write("fleet.json", false), write("seed.json", true)];
  await timeCommand(process.execPath, [main, "apply", "-f", seed, "--yes"], { signal });
  copySimHosts(dir, hosts);
  const plan = [main, "plan", "-f", manifest, "--parallelism", String(PARALLELISM)];
  return await runForPeakMemory(plan, { signal });
}

function words({ ms, peakBytes }: NodeRun): string {
  return `${(ms / 1000).toFixed(1)} s and ${(peakBytes / 1e6).toFixed(0)} MB`;
}
