import { relative } from "node:path";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { synthesize } from "../project/load-fleet.ts";

/** `stowage synth`. */
export const synthCommand: Command = {
  help: {
    name: "synth",
    summary: "Runs the app of cdktf.json and writes a manifest and Terraform JSON for each fleet.",
    options: { json: { description: "Print the paths of the files as JSON" } },
    examples: [
      { command: "synth", comment: "write cdktf.out/stacks/<fleet>/fleet.json" },
      { command: "synth --verbose", comment: "also show what the app prints" },
    ],
  },
  changes: true,
  run: synth,
};

async function synth(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const fleets = await synthesize(args, context);
  if (args.flag("json")) {
    context.stdout.write(`${JSON.stringify({ fleets: Object.fromEntries(fleets) })}\n`);
    return 0;
  }
  for (const [name, file] of fleets) {
    context.stdout.write(`fleet ${context.paint.bold(name)}  ${relative(context.cwd, file)}\n`);
  }
  return 0;
}
