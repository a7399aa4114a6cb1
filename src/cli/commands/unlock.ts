import { unlockHosts } from "../../reconcile/index.ts";
import { requireAnswer } from "../apply/require-answer.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { PLAN_OPTIONS } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { printable } from "../text/printable.ts";
import { plural } from "../text/quantities.ts";

/** `stowage unlock`. */
export const unlockCommand: Command = {
  help: {
    name: "unlock",
    summary:
      "Breaks the locks on hosts, so that an apply that hangs writes nothing more there. Asks first.",
    options: {
      host: PLAN_OPTIONS.host,
      yes: { short: "y", description: "Do not ask for confirmation" },
      json: { description: "Print the result as JSON; needs --yes" },
    },
    details: [
      "A lock expires about 30 seconds after its holder was killed; it is usually enough to wait.",
    ],
    examples: [{ command: "unlock --host edge-a", comment: "break the lock on one host" }],
  },
  changes: true,
  run: unlock,
};

async function unlock(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [yes, json] = [args.flag("yes"), args.flag("json")];
  requireAnswer(context, "unlock", { yes, json });
  const { manifest } = await loadFleet(args, context);
  const hosts = selectHosts(manifest, args);
  const { stdout, appliedBy: owner, connector, drain: signal } = context;
  const question = `Break the locks of ${plural(hosts.length, "host")}? Whoever holds one fails in the middle of its work. Type yes:`;
  if (!yes && !(await context.confirm(question))) {
    stdout.write("Nothing has been touched.\n");
    return 1;
  }
  const outcomes = await unlockHosts({
    hosts: Object.fromEntries(hosts),
    connector,
    owner,
    signal,
  });
  if (json) stdout.write(`${JSON.stringify({ hosts: outcomes })}\n`);
  for (const { host, holder, error } of json ? [] : outcomes) {
    if (error !== undefined) stdout.write(`${host}  not unlocked: ${printable(error)}\n`);
    else
      stdout.write(
        `${host}  ${holder === undefined ? "was not locked" : `unlocked; ${printable(holder)} held it`}\n`,
      );
  }
  return outcomes.every(({ error }) => error === undefined) ? 0 : 1;
}
