import { StowageError } from "../../errors/index.ts";
import { ENGINE_KINDS, type EngineKind } from "../../model/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { engineEntry } from "../engine-kinds.ts";
import { type EngineRow, engineRows, rowNote } from "../engine-rows.ts";
import { columns } from "../text/layout.ts";
import type { Paint } from "../text/paint.ts";
import { didYouMean } from "../text/suggest.ts";

/** `stowage engines`. */
export const enginesCommand: Command = {
  help: {
    name: "engines",
    summary:
      "Lists the engines that Stowage can drive, and which fields of a pod each supports. Contacts no host.",
    operands: "[KIND...]",
    maxOperands: Number.POSITIVE_INFINITY,
    options: { json: { description: "Print the engines as JSON" } },
    details: [
      "native: the engine does it. emulated: Stowage does it, while the named command runs. unsupported: a plan that needs it is refused.",
      "Column KNOWN says how this was checked: kernel (a test saw it in /proc, the cgroups or the process), spec only (it is in what the engine is given), transcript (a recorded run shows it), nobody.",
    ],
    examples: [
      { command: "engines", comment: "all engines" },
      { command: "engines containerd --json", comment: "one engine, for scripts" },
      { command: "plan --engine sim --host edge-a", comment: "what the pods of a host would lose" },
    ],
  },
  run: engines,
};

async function engines(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const kinds = args.operands.length === 0 ? ENGINE_KINDS : args.operands.map(engineKind);
  const found = await Promise.all(
    kinds.map(async (kind) => ({
      kind,
      fields: engineRows(await engineEntry(kind).capabilities()),
    })),
  );
  const { stdout, paint } = context;
  if (args.flag("json")) stdout.write(`${JSON.stringify({ engines: found })}\n`);
  else stdout.write(found.map(({ kind, fields }) => renderEngine(kind, fields, paint)).join("\n"));
  return 0;
}

/**
 * The kind of engine that a word names.
 *
 * @throws StowageError `not_found` when there is no such kind
 */
export function engineKind(word: string): EngineKind {
  const kind = ENGINE_KINDS.find((each) => each === word);
  if (kind !== undefined) return kind;
  const known = ENGINE_KINDS.join(", ");
  throw new StowageError(
    `Cannot find engine "${word}": there are ${known}; ${didYouMean(word, ENGINE_KINDS, "name one of these")}`,
    { code: "not_found" },
  );
}

function renderEngine(kind: EngineKind, rows: readonly EngineRow[], paint: Paint): string {
  const header = ["  FIELD", "SUPPORT", "KNOWN", ""].map((word) => paint.dim(word));
  const colour = { native: paint.green, emulated: paint.yellow, unsupported: paint.red };
  const lines = columns([
    header,
    ...rows.map((row) => [
      `  ${row.field}`,
      colour[row.support](row.support),
      row.known,
      rowNote(row),
    ]),
  ]);
  return `${paint.bold(kind)}\n${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}
