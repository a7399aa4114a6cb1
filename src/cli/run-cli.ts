import { statSync } from "node:fs";
import { resolve } from "node:path";
import { StowageError } from "../errors/index.ts";
import type { Arguments } from "./command-line/arguments.ts";
import type { Command } from "./command-line/command.ts";
import { foreignWord } from "./command-line/foreign-words.ts";
import { GLOBAL_OPTIONS } from "./command-line/global-options.ts";
import { parseArguments, splitCommandLine } from "./command-line/parse-arguments.ts";
import { renderCommandHelp, renderProgramHelp } from "./command-line/render-help.ts";
import { CATALOG, COMMAND_GROUPS } from "./commands/catalog.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { errorJson, renderError } from "./render-error.ts";
import { paintOf, wantsColour } from "./text/paint.ts";
import { didYouMean } from "./text/suggest.ts";
import { programVersion } from "./version.ts";

const WINDOWS =
  "Cannot run Stowage on Windows: it needs a Linux or macOS machine; run it in WSL2 (wsl --install)";

/** Runs a command line to its exit code; errors are written where they belong, never thrown. */
export async function runCli(argv: readonly string[], outside: CommandContext): Promise<number> {
  const context = { ...outside, paint: paintFor(argv, outside) };
  const failure: Failure = { exitCode: 1 };
  try {
    return await dispatch(argv, context, failure);
  } catch (error) {
    if (!isStop(error, context)) {
      report(error, argv, context);
      const { exitCode } = failure;
      return typeof exitCode === "number" ? exitCode : exitCode(error);
    }
    context.stderr.write("Stopped.\n");
    return 1;
  }
}

/** What an error is to end with. */
interface Failure {
  exitCode: NonNullable<Command["failed"]>;
}

/** @param failure what an error is to end with, once it is known which command it is of */
async function dispatch(
  argv: readonly string[],
  context: CommandContext,
  failure: Failure,
): Promise<number> {
  if (context.platform === "win32") throw new StowageError(WINDOWS, { code: "unimplemented" });
  const { globals, command, rest } = splitCommandLine(argv);
  if (globals.flag("version") || command === "version") {
    context.stdout.write(`stowage ${programVersion()}\n`);
    return 0;
  }
  if (command === undefined) {
    (globals.flag("help") ? context.stdout : context.stderr).write(
      renderProgramHelp(CATALOG, COMMAND_GROUPS, GLOBAL_OPTIONS),
    );
    return globals.flag("help") ? 0 : 1;
  }
  if (command === "help") return help(rest[0], context);
  const loaded = await loadCommand(command);
  failure.exitCode = loaded.failed ?? 1;
  const args = parseArguments(rest, loaded.help).over(globals);
  if (args.flag("help")) return help(command, context);
  const here = inDirectory(args, context);
  if (loaded.changes === true) context.goOnUnread();
  return await loaded.run(args, here);
}

async function help(name: string | undefined, context: CommandContext): Promise<ExitCode> {
  const text =
    name === undefined || name.startsWith("-")
      ? renderProgramHelp(CATALOG, COMMAND_GROUPS, GLOBAL_OPTIONS)
      : renderCommandHelp((await loadCommand(name)).help);
  context.stdout.write(text);
  return 0;
}

async function loadCommand(name: string): Promise<Command> {
  const entry = CATALOG.find((each) => each.name === name);
  if (entry !== undefined) {
    await import("./plain-schemas.ts");
    return await entry.load();
  }
  const names = [...CATALOG.map((each) => each.name), "help", "version"];
  throw new StowageError(
    `Cannot run command ${JSON.stringify(name)}: there is none of that name; ${foreignWord(name) ?? didYouMean(name, names, "see stowage help")}`,
    { code: "invalid_argument" },
  );
}

function inDirectory(args: Arguments, context: CommandContext): CommandContext {
  const directory = args.text("directory");
  if (directory === undefined) return context;
  const cwd = resolve(context.cwd, directory);
  const found = statSync(cwd, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) {
    const why = found === undefined ? "there is no such directory" : "it is a file";
    throw new StowageError(`Cannot work in "${directory}": ${why}; name another with -C`, {
      code: found === undefined ? "not_found" : "invalid_argument",
    });
  }
  return { ...context, cwd };
}

/** Whether an error is only that the user ended the command. */
function isStop(error: unknown, { drain, abort }: CommandContext): boolean {
  const reasons = [drain, abort].filter(({ aborted }) => aborted).map(({ reason }) => reason);
  return (
    reasons.includes(error) ||
    (reasons.length > 0 && error instanceof Error && error.name === "AbortError")
  );
}

/** Errors go to a program as JSON on stdout when it asked for JSON, and to people on stderr. */
function report(error: unknown, argv: readonly string[], context: CommandContext): void {
  if (given(argv, "--json")) context.stdout.write(`${JSON.stringify(errorJson(error))}\n`);
  const colour = wantsColour(context.env, context.stderr.isTerminal, given(argv, "--no-color"));
  context.stderr.write(renderError(error, paintOf(colour), given(argv, "--debug")));
}

function paintFor(argv: readonly string[], { env, stdout }: CommandContext) {
  return paintOf(wantsColour(env, stdout.isTerminal, given(argv, "--no-color")));
}

/** Whether a switch was given, on a command line that may not be readable as a whole. */
function given(argv: readonly string[], option: string): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes(option);
}
