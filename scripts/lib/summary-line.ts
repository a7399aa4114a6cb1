import type { VitestOutcome } from "./vitest-run.ts";

/** The last line of `npm test`, and its exit code. */
export interface Summary {
  readonly line: string;
  readonly exitCode: number;
}

/**
 * Sums a run up: `N passed, N failed`, and `, N skipped` where there are any.
 *
 * A file that did not load counts as one failure; so does a run that vitest itself calls failed
 * although no test is (an unhandled error). A run without a passed test has failed.
 */
export function summarize(
  outcome: Pick<VitestOutcome, "exitCode" | "passed" | "skipped" | "failedTests" | "brokenFiles">,
): Summary {
  const found = outcome.failedTests.length + outcome.brokenFiles.length;
  const failed = found === 0 && outcome.exitCode !== 0 ? 1 : found;
  const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : "";
  return {
    line: `${outcome.passed} passed, ${failed} failed${skipped}`,
    exitCode: failed > 0 || outcome.passed === 0 ? 1 : 0,
  };
}
