import type { ExecStreams } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import { NOT_RUN, type OptionSpec } from "../command-line/command.ts";
import type { ByteStreams } from "../context.ts";

/** Options of the commands that run one in a container. */
export const STREAM_OPTIONS = {
  interactive: { short: "i", description: "Pass stdin to the command" },
  tty: { short: "t", description: "Allocate a terminal; use -it for a shell" },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** @throws StowageError `invalid_argument` for `--tty` where nobody sits at one */
export function requireTerminal(args: Arguments, streams: ByteStreams): void {
  if (!args.flag("tty") || streams.isTerminal()) return;
  throw new StowageError(
    "Cannot give the command a terminal: this command's stdin and stdout are not terminals; leave -t out",
    { code: "invalid_argument" },
  );
}

/** What the command reads and where it writes, as {@link STREAM_OPTIONS} say; disposing gives the terminal back. */
export function execStreams(args: Arguments, streams: ByteStreams): ExecStreams & Disposable {
  const terminal = args.flag("tty") ? streams.openTerminal() : undefined;
  return {
    stdout: streams.stdout,
    stderr: streams.stderr,
    ...(args.flag("interactive") ? { stdin: streams.stdin() } : {}),
    ...(terminal === undefined ? {} : { terminal }),
    [Symbol.dispose]: () => terminal?.[Symbol.dispose](),
  };
}

/** As shells have it for a command that was not begun, where the engine says which it was. */
export function notBegunCode(error: unknown): number {
  const code = StowageError.is(error) ? error.context["exitCode"] : undefined;
  return code === 126 || code === 127 ? code : NOT_RUN;
}
