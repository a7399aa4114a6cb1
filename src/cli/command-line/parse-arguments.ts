import { parseArgs } from "node:util";
import { StowageError } from "../../errors/index.ts";
import { didYouMean } from "../text/suggest.ts";
import { Arguments } from "./arguments.ts";
import type { CommandHelp, OptionSpec } from "./command.ts";
import { GLOBAL_OPTIONS } from "./global-options.ts";

type Options = Readonly<Record<string, OptionSpec>>;

/** A command line taken apart at the command's name. */
export interface CommandLine {
  /** Options before the command. */
  readonly globals: Arguments;
  readonly command: string | undefined;
  /** Everything after it. */
  readonly rest: readonly string[];
}

/**
 * Finds the command in a command line.
 *
 * @throws StowageError `invalid_argument` when an option before it is not a global one
 */
export function splitCommandLine(argv: readonly string[]): CommandLine {
  const options = { ...GLOBAL_OPTIONS, version: { short: "V", description: "" } };
  const tokens = tokenize(argv, options);
  const first = tokens.find((token) => token.kind === "positional");
  const end = first?.index ?? argv.length;
  return {
    globals: read(argv.slice(0, end), options, "stowage"),
    command: first?.kind === "positional" ? first.value : undefined,
    rest: argv.slice(end + 1),
  };
}

/**
 * Reads what was given to a command. Its own options win over global ones of the same letter.
 *
 * @throws StowageError `invalid_argument` for an unknown option, a missing value, too many operands or too few
 */
export function parseArguments(argv: readonly string[], help: CommandHelp): Arguments {
  const parsed = read(argv, commandOptions(help), `stowage ${help.name}`);
  if (!parsed.flag("help")) checkOperands(parsed.operands, help);
  return parsed;
}

/** Own and global options of a command. */
export function commandOptions(help: CommandHelp): Options {
  const letters = new Set(Object.values(help.options).map(({ short }) => short));
  const globals = Object.entries(GLOBAL_OPTIONS as Options).map(([name, option]) => {
    if (!letters.has(option.short)) return [name, option] as const;
    const { short: _, ...rest } = option;
    return [name, rest] as const;
  });
  return { ...Object.fromEntries(globals), ...help.options };
}

function read(argv: readonly string[], options: Options, where: string): Arguments {
  const operands: string[] = [];
  const values = new Map<string, (string | true)[]>();
  for (const token of tokenize(argv, options)) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) throw unknownOption(token.rawName, options, where);
    const value = optionValue(token.rawName, option, token.value, token.inlineValue === true);
    values.set(token.name, [...(values.get(token.name) ?? []), value]);
  }
  return new Arguments(operands, values);
}

function tokenize(argv: readonly string[], options: Options) {
  const config = Object.entries(options).map(([name, { short, value }]) => [
    name,
    {
      type: value === undefined ? ("boolean" as const) : ("string" as const),
      ...(short === undefined ? {} : { short }),
    },
  ]);
  return parseArgs({
    args: [...argv],
    options: Object.fromEntries(config),
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}

function optionValue(
  rawName: string,
  option: OptionSpec,
  value: string | undefined,
  inline: boolean,
): string | true {
  if (option.value === undefined) {
    if (value === undefined) return true;
    throw usageError(`Cannot use ${rawName}=${value}: ${rawName} takes no value; leave it out`);
  }
  if (value === undefined || value === "") {
    throw usageError(
      `Cannot use ${rawName}: its value is missing; write ${rawName} ${option.value}`,
    );
  }
  if (!inline && value.startsWith("-") && value !== "-") {
    throw usageError(
      `Cannot use ${rawName}: its value is missing before ${value}; write ${rawName} ${option.value}, or ${rawName}=${value} if that is meant`,
    );
  }
  return value;
}

function checkOperands(operands: readonly string[], help: CommandHelp): void {
  const [min, max] = [help.minOperands ?? 0, help.maxOperands ?? 0];
  const remedy = `see stowage ${help.name} --help`;
  if (operands.length < min) {
    throw usageError(`Cannot run stowage ${help.name}: ${help.operands} is missing; ${remedy}`);
  }
  if (operands.length > max) {
    throw usageError(
      `Cannot run stowage ${help.name}: unexpected argument ${JSON.stringify(operands[max])}; ${remedy}`,
    );
  }
}

function unknownOption(rawName: string, options: Options, where: string): StowageError {
  const known = Object.keys(options).map((name) => `--${name}`);
  const hint = didYouMean(rawName, known, `see ${where} --help`);
  return usageError(`Cannot use option ${rawName}: ${where} does not know it; ${hint}`);
}

function usageError(message: string): StowageError {
  return new StowageError(message, { code: "invalid_argument" });
}
