import { StowageError } from "../../errors/index.ts";
import type { Arguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { didYouMean } from "../text/suggest.ts";

type Verb = "status" | "pause" | "resume" | "undo";

/** Options of one verb that say nothing to another, and why. */
const NEEDLESS: Readonly<Record<Verb, Readonly<Record<string, string>>>> = {
  status: { yes: "it only looks and never asks" },
  pause: needlessFor("pause"),
  resume: needlessFor("resume"),
  undo: {},
};

/** `stowage rollout`. */
export const rolloutCommand: Command = {
  help: {
    name: "rollout",
    summary:
      "Shows how far services are with what is declared (status), holds a rollout up and lets it go on (pause, resume), or takes it back (undo).",
    operands: "status [SERVICE] | pause SERVICE | resume SERVICE | undo SERVICE",
    minOperands: 1,
    maxOperands: 2,
    options: {
      host: { value: "HOST", multiple: true, description: "status, undo: only on this host" },
      yes: { short: "y", description: "undo: do not ask" },
      "lock-timeout": {
        value: "TIME",
        description: "undo: wait this long for a host that is locked (default 0s)",
      },
      settle: {
        value: "TIME",
        description:
          "undo: a container without a probe counts as started when it has run for this long (default 400ms)",
      },
      json: {
        description: "Print what came of it as JSON, of undo as lines of it; undo needs --yes",
      },
    },
    details: [
      "status changes nothing. It exits with 0 when all pods are as declared, 2 when some are not, 1 when a host could not be looked at.",
      "pause tells every host of the service. An apply that runs begins no further wave, and later ones leave what is newly declared: they exit with 2. What ended or drifted is still mended; undo and rollback go on all the same. resume lets it go on with the next apply. Both exit with 1 when a host could not be told; do it again when it can.",
      "undo is an apply of older records, in the waves of the service's rollout. Only pods that are as declared go back; the others keep, or come back to, what was applied to them last. So an undo that was cut short is gone on with by the next. The declaration is not changed: until it is, the next apply goes forward again.",
    ],
    examples: [
      { command: "rollout status", comment: "all services: waves that are left, and each pod" },
      { command: "rollout pause web", comment: "no further wave, also while an apply runs" },
      { command: "rollout resume web", comment: "the next apply goes on" },
      { command: "rollout undo web", comment: "take back what was rolled out of web" },
      { command: "rollout undo web --host edge-a --yes", comment: "on one host, without asking" },
    ],
  },
  changes: true,
  run: rollout,
};

async function rollout(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [verb = "", service] = args.operands;
  const refuse = (why: string): never => {
    throw new StowageError(`Cannot run stowage rollout ${verb}: ${why}`, {
      code: "invalid_argument",
    });
  };
  const verbs = Object.keys(NEEDLESS);
  if (!isVerb(verb))
    return refuse(
      `there is none of that name; ${didYouMean(verb, verbs, `write ${verbs.join(", ")}`)}`,
    );
  for (const [option, why] of Object.entries(NEEDLESS[verb]))
    if (args.flag(option)) refuse(`${why}; leave --${option} out`);
  if (verb === "status")
    return await (await import("../rollout-status.ts")).rolloutStatus(args, context);
  if (service === undefined) refuse(`it needs a service; write stowage rollout ${verb} SERVICE`);
  if (verb === "undo") return await (await import("../rollout-undo.ts")).rolloutUndo(args, context);
  return await (await import("../rollout-mark.ts")).rolloutMark(args, context, verb === "pause");
}

function isVerb(word: string): word is Verb {
  return Object.hasOwn(NEEDLESS, word);
}

function needlessFor(verb: "pause" | "resume"): Readonly<Record<string, string>> {
  return {
    host: `a rollout is one thing: all hosts of the service ${verb}`,
    yes: "it never asks",
    "lock-timeout": "it waits for no lock",
    settle: "it starts nothing",
  };
}
