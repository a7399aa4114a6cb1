import { StowageError } from "../../../errors/index.ts";
import type { CommandResult } from "../../../host/index.ts";

/** What it means that rkt could not be run to its end, and what to do. */
const SENSE: Partial<Record<StowageError["code"], readonly [state: string, remedy: string]>> = {
  not_found: ["is not on the host", "install rkt, or set its program in the engine's declaration"],
  permission_denied: ["may not be run", "see its mode and that of the directories above it"],
  deadline_exceeded: [
    "did not end in time",
    "see which process holds a lock in its data directory",
  ],
  resource_exhausted: ["printed more than can be read", "run the command by hand"],
};

/** The error of a command that could not be run to its end; any other failure is given back. */
export function notRun(doing: string, command: readonly string[], error: unknown): unknown {
  const words = StowageError.is(error) ? SENSE[error.code] : undefined;
  if (!StowageError.is(error) || words === undefined) return error;
  const [state, remedy] = words;
  const text = `Cannot ${doing}: rkt, program "${command[0]}", ${state}; ${remedy}`;
  const code = error.code === "not_found" ? "unavailable" : error.code;
  return new StowageError(text, { code, cause: error });
}

/** The error of a command that said that it succeeded. */
export function nothingDone(doing: string, subcommand: string, state: string): StowageError {
  return new StowageError(
    `Cannot ${doing}: "rkt ${subcommand}" succeeded, but ${state}; check that the engine's declared program is rkt 1.30, and run it by hand`,
    { code: "internal", context: { subcommand } },
  );
}

/** rkt has texts only, and one exit code for all errors. */
const CODES: readonly (readonly [RegExp, StowageError["code"], string])[] = [
  [/cannot run as unprivileged user|permission denied/, "permission_denied", "run as root"],
  [
    /no image IDs found|cannot find aci|error getting the image manifest/,
    "not_found",
    "import the image again",
  ],
  [/no space left on device/, "resource_exhausted", "free space on the host"],
  [/cannot get configuration/, "failed_precondition", "fix rkt's configuration files"],
  [
    /stage1|discovery failed/,
    "failed_precondition",
    "install the stage1 image that the engine's declaration names, or name one that is installed",
  ],
];

/** An error of a command that failed, with what rkt says of it; never its output, which may hold anything. */
export function commandError(doing: string, { exitCode, stderr }: CommandResult): StowageError {
  const said = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith('prepare: group "rkt"'))
    .slice(-3)
    .join("; ")
    .slice(0, 500);
  const [, code, remedy] = CODES.find(([pattern]) => pattern.test(said)) ?? [
    undefined,
    "failed_precondition" as const,
    "see rkt's own message",
  ];
  const state = said === "" ? `rkt ended with status ${exitCode} and said nothing` : said;
  return new StowageError(`Cannot ${doing}: ${state}; ${remedy}`, {
    code: exitCode > 128 && exitCode < 160 ? "aborted" : code,
    context: { exitCode },
  });
}
