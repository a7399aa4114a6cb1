import { StowageError } from "../../errors/index.ts";
import type { Arguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { didYouMean } from "../text/suggest.ts";

const VERBS = ["status", "undo"];

/** `stowage rollout`. */
export const rolloutCommand: Command = {
  help: {
    name: "rollout",
    summary:
      "Shows how far services are with what is declared (status), or takes one back to what its pods were before (undo).",
    operands: "status [SERVICE] | undo SERVICE",
    minOperands: 1,
    maxOperands: 2,
    options: {
      host: { value: "HOST", multiple: true, description: "Only on this host" },
      yes: { short: "y", description: "undo: do not ask" },
      "lock-timeout": {
        value: "TIME",
        description: "undo: wait this long for a host that is locked (default 0s)",
      },
      settle: {
        value: "TIME",
        description:
          "undo: a container without a probe counts as started when it has run for this long (default 500ms)",
      },
      json: {
        description: "Print the status, or the lines of the undoing, as JSON; undo needs --yes",
      },
    },
    details: [
      "status changes nothing. It exits with 0 when all pods are as declared, 2 when some are not, 1 when a host could not be looked at.",
      "undo is an apply of older records, in the waves of the service's rollout. Only pods that are as declared go back; the others keep, or come back to, what was applied to them last. So an undo that was cut short is gone on with by the next. The declaration is not changed: until it is, the next apply goes forward again.",
    ],
    examples: [
      { command: "rollout status", comment: "all services: waves that are left, and each pod" },
      { command: "rollout undo web", comment: "take back what was rolled out of web" },
      { command: "rollout undo web --host edge-a --yes", comment: "on one host, without asking" },
    ],
  },
  run: rollout,
};

async function rollout(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [verb = "", service] = args.operands;
  const refuse = (why: string): never => {
    throw new StowageError(`Cannot run stowage rollout ${verb}: ${why}`, {
      code: "invalid_argument",
    });
  };
  if (!VERBS.includes(verb))
    refuse(`there is none of that name; ${didYouMean(verb, VERBS, "write status or undo")}`);
  if (verb === "undo") {
    if (service === undefined) refuse("it needs a service; write stowage rollout undo SERVICE");
    return await (await import("../rollout-undo.ts")).rolloutUndo(args, context);
  }
  if (args.flag("yes")) refuse("it only looks and never asks; leave --yes out");
  return await (await import("../rollout-status.ts")).rolloutStatus(args, context);
}
