import { StowageError } from "../errors/index.ts";

/** What a shell ends with when a program is not there, and when it may not be run. */
export type NotBegunCode = 127 | 126;

const MISSING = 127;
const MAY_NOT_RUN = 126;

const WHY: Readonly<Record<NotBegunCode, string>> = {
  [MISSING]: "there is no such program in the container; check its image",
  [MAY_NOT_RUN]:
    "it cannot be executed there; check its mode, its user's permissions and its architecture",
};

/** The command's working directory: a reason of its own. */
const OTHER = /chdir|\bcwd\b|working directory/i;
const DENIED = /permission denied|is a directory|exec format error|operation not permitted/i;
const ABSENT = /executable file .*not found|no such file or directory|command that was not found/i;

/** Which of the two it was, by what a runtime says of a command that it could not begin; undefined for something else. */
export function notBegunCode(said: string): NotBegunCode | undefined {
  if (OTHER.test(said)) return undefined;
  if (DENIED.test(said)) return MAY_NOT_RUN;
  return ABSENT.test(said) ? MISSING : undefined;
}

/** A command that was not begun, said the same on every engine; its exit code is in the error's context. */
export function notBegun(
  { container, command }: { readonly container: string; readonly command: readonly string[] },
  exitCode: NotBegunCode,
  cause?: unknown,
): StowageError {
  const program = JSON.stringify(command[0] ?? "");
  return new StowageError(`Cannot run ${program} in container "${container}": ${WHY[exitCode]}`, {
    code: "failed_precondition",
    context: { container, exitCode },
    ...(cause === undefined ? {} : { cause }),
  });
}
