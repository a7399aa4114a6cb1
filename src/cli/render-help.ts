import type { CommandHelp, OptionSpec } from "./command.ts";
import { commandOptions } from "./parse-arguments.ts";
import { columns } from "./text/layout.ts";

const EXIT_CODES =
  "0 done, or nothing to do; 2 something is left to do and nothing failed; 1 an error.";

/** The help of one command. */
export function renderCommandHelp(help: CommandHelp): string {
  const operands = help.operands === undefined ? "" : ` ${help.operands}`;
  const all = commandOptions(help);
  const globals = Object.entries(all).filter(([name]) => !Object.hasOwn(help.options, name));
  return joined([
    help.summary,
    `Usage: stowage ${help.name}${operands} [options]`,
    ...(help.details ?? []),
    section("Options", optionRows(Object.entries(help.options))),
    section("Global options", optionRows(globals)),
    section(
      "Examples",
      help.examples.map(({ command, comment }) => [`stowage ${command}`, `# ${comment}`]),
    ),
    `Exit codes: ${help.exitCodes ?? EXIT_CODES}`,
  ]);
}

/** The help of the program. */
export function renderProgramHelp(
  commands: readonly { readonly name: string; readonly summary: string }[],
  options: Readonly<Record<string, OptionSpec>>,
): string {
  return joined([
    "Stowage declares container fleets in TypeScript and converges plain Linux hosts to them.",
    "Usage: stowage COMMAND [options]",
    section(
      "Commands",
      commands.map(({ name, summary }) => [name, summary]),
    ),
    section("Global options", optionRows(Object.entries(options))),
    "stowage COMMAND --help says more and shows examples.",
  ]);
}

function optionRows(options: readonly (readonly [string, OptionSpec])[]): readonly string[][] {
  return options.map(([name, { short, value, description, multiple }]) => [
    `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
    multiple === true ? `${description}; may be repeated` : description,
  ]);
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  return [`${title}:`, ...columns(rows).map((line) => `  ${line}`)].join("\n");
}

function joined(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}
