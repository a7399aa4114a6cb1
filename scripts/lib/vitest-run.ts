import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunOptions, runCommand } from "./run-command.ts";

/** The fields that are read of vitest's JSON report. */
interface JsonReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** How a run of vitest ended. */
export interface VitestOutcome {
  readonly exitCode: number;
  readonly passed: number;
  readonly skipped: number;
  /** Full titles of the tests that failed. */
  readonly failedTests: readonly string[];
  /** Files that failed without a failed test: they did not load, or a hook threw. */
  readonly brokenFiles: readonly string[];
  readonly timedOut: boolean;
  /** Both streams, when the options ask for capture. */
  readonly output: string;
}

/** How {@link runVitest} runs it. */
export interface VitestOptions extends RunOptions {
  /** Words of a command that runs the command which follows them. */
  readonly through?: readonly string[];
}

/** Runs `vitest run` with these arguments and counts tests by its JSON report, never by its text. */
export async function runVitest(
  args: readonly string[],
  { through = [], ...options }: VitestOptions = {},
): Promise<VitestOutcome> {
  const scratch = mkdtempSync(join(tmpdir(), "stw-report-"));
  const reportFile = join(scratch, "report.json");
  try {
    const vitest = join(options.cwd ?? process.cwd(), "node_modules/vitest/vitest.mjs");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
    const words = [...through, process.execPath, vitest, "run", ...reporters, ...args];
    const { exitCode, output, timedOut } = await runCommand(
      words[0] ?? process.execPath,
      words.slice(1),
      options,
    );
    return { exitCode, timedOut, output, ...countTests(readReport(reportFile)) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function readReport(file: string): JsonReport {
  if (!existsSync(file)) return { testResults: [] };
  return JSON.parse(readFileSync(file, "utf8")) as JsonReport;
}

/** Counts what a report holds. */
export function countTests(
  report: JsonReport,
): Pick<VitestOutcome, "passed" | "skipped" | "failedTests" | "brokenFiles"> {
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failedTests = tests.filter(({ status }) => status === "failed");
  const passed = tests.filter(({ status }) => status === "passed").length;
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && assertionResults.every((test) => test.status !== "failed"),
  );
  return {
    passed,
    skipped: tests.length - passed - failedTests.length,
    failedTests: failedTests.map(({ fullName }) => fullName),
    brokenFiles: broken.map(({ name }) => name),
  };
}
