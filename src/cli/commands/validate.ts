import { formatDiagnostic } from "../../errors/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { countPods } from "../pods/count-pods.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { printable } from "../text/printable.ts";
import { plural } from "../text/quantities.ts";

/** `stowage validate`. */
export const validateCommand: Command = {
  help: {
    name: "validate",
    summary: "Checks a fleet's declaration and reports every mistake at once. Contacts no host.",
    options: { json: { description: "Print the findings as JSON" } },
    examples: [
      { command: "validate", comment: "run the app and check what it declares" },
      { command: "validate -f fleet.json", comment: "check a manifest written by hand" },
    ],
  },
  run: validate,
};

async function validate(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const { manifest, warnings } = await loadFleet(args, context);
  const hosts = Object.keys(manifest.hosts).length;
  const pods = countPods(manifest);
  if (args.flag("json")) {
    context.stdout.write(
      `${JSON.stringify({ valid: true, fleet: manifest.name, hosts, pods, diagnostics: warnings })}\n`,
    );
    return 0;
  }
  for (const warning of warnings)
    context.stderr.write(`warning:${printable(formatDiagnostic(warning)).slice(1)}\n`);
  context.stdout.write(
    `fleet ${context.paint.bold(manifest.name)} is valid: ${plural(hosts, "host")}, ${plural(pods, "pod")}\n`,
  );
  return 0;
}
