import { StowageError } from "../../src/errors/index.ts";
import type { Mutant } from "./mutant.ts";
import { runCommand } from "./run-command.ts";
import { makeScratchCopy } from "./scratch-copy.ts";
import { runVitest, type VitestOutcome } from "./vitest-run.ts";

const TRIAL_TIMEOUT_MS = 10 * 60_000;

/** What a mutant's named test said of it. */
export interface Verdict {
  readonly caught: boolean;
  /** Why it counts as not caught, or how it was caught. */
  readonly detail: string;
}

/**
 * Applies a mutant to a copy of the project and runs its test there.
 *
 * Caught means that the named test ran and failed. A test that could not run proves nothing.
 *
 * @throws StowageError `failed_precondition` when the patch does not apply.
 */
export async function tryMutant(root: string, mutant: Mutant, patchFile: string): Promise<Verdict> {
  using copy = makeScratchCopy(root);
  const { exitCode, output } = await runCommand("git", ["apply", patchFile], {
    cwd: copy.dir,
    output: "capture",
  });
  if (exitCode !== 0) {
    const message = `Cannot apply mutant "${mutant.name}": ${output.trim()}; write the patch anew`;
    throw new StowageError(message, { code: "failed_precondition" });
  }
  const outcome = await runNamedTest(copy.dir, mutant);
  if (outcome.failedTests.length > 0) {
    return { caught: true, detail: `${outcome.failedTests.length} failed` };
  }
  if (outcome.passed > 0) return { caught: false, detail: "the test still passes" };
  const why = outcome.timedOut ? `no end after ${TRIAL_TIMEOUT_MS} ms` : tail(outcome.output);
  return { caught: false, detail: `the test did not run: ${why}` };
}

/**
 * Runs a mutant's test on an unpatched copy.
 *
 * @throws StowageError `failed_precondition` when no test matched, or it does not pass.
 */
export async function proveBaseline(root: string, mutant: Mutant): Promise<void> {
  using copy = makeScratchCopy(root);
  const outcome = await runNamedTest(copy.dir, mutant);
  const { passed, failedTests, brokenFiles } = outcome;
  if (passed > 0 && failedTests.length === 0 && brokenFiles.length === 0) return;
  const state =
    passed + failedTests.length + brokenFiles.length === 0
      ? "no test matched"
      : `it does not pass on the unpatched project:\n${tail(outcome.output)}`;
  throw new StowageError(
    `Cannot use test "${mutant.testTitle}" of ${mutant.testFile} (project ${mutant.project}): ${state}`,
    { code: "failed_precondition" },
  );
}

/** Mutants that name the same test share one baseline. */
export function testKey({ project, testFile, testTitle }: Mutant): string {
  return [project, testFile, testTitle].join("\n");
}

async function runNamedTest(dir: string, mutant: Mutant): Promise<VitestOutcome> {
  const title = mutant.testTitle.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return runVitest(["--project", mutant.project, mutant.testFile, "-t", title], {
    cwd: dir,
    output: "capture",
    timeoutMs: TRIAL_TIMEOUT_MS,
  });
}

function tail(text: string): string {
  return text.trim().split("\n").slice(-15).join("\n");
}
