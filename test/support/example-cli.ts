import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../scripts/lib/project-root.ts";

/** What one run of the command line came to. */
export interface CliRun {
  readonly status: number | null;
  readonly stdout: string;
  /** stdout and stderr, for the message of a failed test. */
  readonly said: string;
}

/** Runs the built command line in the folder of an example, in the environment that the example reads. */
export function runInExample(
  main: string,
  example: string,
  env: Readonly<Record<string, string>>,
  words: readonly string[],
): CliRun {
  const args = [main, "-C", join(PROJECT_ROOT, "examples", example), ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  return { status, stdout, said: `${stdout}${stderr}` };
}
