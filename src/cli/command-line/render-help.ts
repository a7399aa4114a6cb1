import { columns, pad, wrap } from "../text/layout.ts";
import type { CommandHelp, OptionSpec } from "./command.ts";
import { commandOptions } from "./parse-arguments.ts";

/** Columns of prose. Rows of options and examples are not broken. */
const PROSE_WIDTH = 100;

const EXIT_CODES =
  "0 done, or nothing to do; 2 something is left to do and nothing failed; 1 an error.";

/** The help of one command. */
export function renderCommandHelp(help: CommandHelp): string {
  const operands = help.operands === undefined ? "" : ` ${help.operands}`;
  const all = commandOptions(help);
  const globals = Object.entries(all).filter(([name]) => !Object.hasOwn(help.options, name));
  return joined([
    prose(help.summary),
    `Usage: stowage ${help.name}${operands} [options]`,
    ...(help.details ?? []).map(prose),
    section("Options", optionRows(Object.entries(help.options))),
    section("Global options", optionRows(globals)),
    section(
      "Examples",
      help.examples.map(({ command, comment }) => [`stowage ${command}`, `# ${comment}`]),
    ),
    prose(`Exit codes: ${help.exitCodes ?? EXIT_CODES}`),
  ]);
}

/** The help of the program: its commands under the headings of their groups. */
export function renderProgramHelp(
  commands: readonly { readonly name: string; readonly group: string; readonly summary: string }[],
  groups: Readonly<Record<string, string>>,
  options: Readonly<Record<string, OptionSpec>>,
): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return joined([
    "Stowage runs containers on plain Linux hosts as you declare them in TypeScript.",
    "Usage: stowage COMMAND [options]",
    ...Object.entries(groups).map(([group, title]) =>
      section(
        title,
        commands
          .filter((command) => command.group === group)
          .map(({ name, summary }) => [pad(name, width), summary]),
      ),
    ),
    section("Global options", optionRows(Object.entries(options))),
    "stowage COMMAND --help shows the options of a command, and examples.",
  ]);
}

function prose(text: string): string {
  return wrap(text, PROSE_WIDTH, "");
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
