import { StowageError } from "../../src/errors/index.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult } from "./benchmark.ts";
import { describeMachine, type MachineDescription, machineLines } from "./describe-machine.ts";
import { isBroken, renderResult } from "./render-results.ts";

/** What came of a benchmark: figures, or why there are none. */
export type Outcome = BenchmarkResult | { readonly skipped: string } | { readonly failed: string };

/** What is written of a run. */
export interface BenchmarkReport {
  readonly startedAt: string;
  readonly machine: MachineDescription;
  readonly pairs: number;
  readonly divisor: number;
  readonly results: Readonly<Record<string, Outcome>>;
}

/** How a run ended. */
export interface BenchmarkRun {
  readonly report: BenchmarkReport;
  /** Whether one ended with an error. */
  readonly hasFailed: boolean;
  /** Whether every bound was measured and held; in a quick run none is judged. */
  readonly isHeld: boolean;
}

/** Runs benchmarks one after the other and prints each as it comes; one that fails does not stop the next. */
export async function runBenchmarks(
  benchmarks: readonly Benchmark[],
  options: Pick<BenchmarkContext, "pairs" | "divisor">,
): Promise<BenchmarkRun> {
  const stop = new AbortController();
  const onSignal = () => stop.abort(new StowageError("Stopped", { code: "canceled" }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
  const machine = describeMachine();
  for (const line of machineLines(machine)) console.log(line);
  console.log();
  const startedAt = new Date().toISOString();
  const results: Record<string, Outcome> = {};
  const context = {
    ...options,
    signal: stop.signal,
    log: (line: string) => console.log(`  ${line}`),
  };
  for (const benchmark of benchmarks) {
    results[benchmark.name] = await runOne(benchmark, context);
    if (stop.signal.aborted) break;
  }
  const outcomes = Object.values(results);
  return {
    report: { startedAt, machine, ...options, results },
    hasFailed: outcomes.some((each) => "failed" in each),
    isHeld: outcomes.every((each) => "figures" in each && !each.figures.some(isBroken)),
  };
}

async function runOne(
  { name, title, whyNot, run }: Benchmark,
  context: BenchmarkContext,
): Promise<Outcome> {
  const reason = whyNot?.();
  if (reason !== undefined) {
    console.log(`${name}: not run, because ${reason}\n`);
    return { skipped: reason };
  }
  console.log(`${name} …`);
  try {
    const measured = await run(context);
    // bounds are for the full number of pods
    const result = context.divisor === 1 ? measured : withoutBounds(measured);
    console.log(renderResult(`${name}: ${title}`, result));
    return result;
  } catch (error) {
    const message = StowageError.is(error) ? error.message : String((error as Error).stack);
    console.log(`${name}: failed: ${message}\n`);
    return { failed: message };
  }
}

function withoutBounds({ figures, notes }: BenchmarkResult): BenchmarkResult {
  return { figures: figures.map(({ name, value, unit }) => ({ name, value, unit })), notes };
}
