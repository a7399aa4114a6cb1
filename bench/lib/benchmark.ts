/** One measured number. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: "x" | "ms" | "us" | "MB" | "%";
  /** What it must not be more than; absent: reported only. */
  readonly atMost?: number;
}

/** What a benchmark came to. */
export interface BenchmarkResult {
  readonly figures: readonly Figure[];
  /** What a reader must know to judge them, whole sentences. */
  readonly notes: readonly string[];
}

/** What a benchmark gets. */
export interface BenchmarkContext {
  /** Times that a pair is measured. */
  readonly pairs: number;
  /** Divides the number of pods, for a quick look; bounds are for 1. */
  readonly divisor: number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** A benchmark: one a file in benchmarks/. */
export interface Benchmark {
  readonly name: string;
  /** What is measured, in one line. */
  readonly title: string;
  /** Why it cannot be run here; absent or undefined: it can. */
  readonly whyNot?: () => string | undefined;
  run(context: BenchmarkContext): Promise<BenchmarkResult>;
}
