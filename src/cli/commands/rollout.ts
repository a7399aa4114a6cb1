import { StowageError } from "../../errors/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
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
      "Shows how far the rollout of each service is (status), pauses and resumes it (pause, resume), or undoes it (undo).",
    operands: "status [SERVICE] | pause SERVICE | resume SERVICE | undo SERVICE",
    minOperands: 1,
    maxOperands: 2,
    options: {
      host: { value: "HOST", multiple: true, description: "status, undo: only on this host" },
      yes: { short: "y", description: "undo: do not ask for confirmation" },
      "lock-timeout": {
        value: "TIME",
        description: "undo: wait up to this long for a locked host (default 0s)",
      },
      settle: {
        value: "TIME",
        description:
          "undo: how long a container without a probe must run to count as started (default 400ms)",
      },
      json: {
        description: "Print the result as JSON, of undo as JSON lines; undo needs --yes",
      },
    },
    details: [
      "status changes nothing. It exits with 0 when all pods are as declared, 2 when some are not, 1 when a host could not be observed.",
      "pause is noted on every host of the service. A running apply begins no further wave; later ones leave new declarations of the service unapplied and exit with 2. Pods that ended or drifted are still repaired; undo and rollback are not held up. After resume, the next apply continues the rollout. Both exit with 1 when a host could not be reached: run them again when it can.",
      "undo is an apply of older records, in the waves of the service's rollout. Only pods that are as declared go back; the others keep, or return to, what was applied to them last, so that running undo again completes one that was interrupted. The declaration is not changed: until you change it, the next apply goes forward again.",
    ],
    examples: [
      { command: "rollout status", comment: "all services: the waves that are left, and each pod" },
      { command: "rollout pause web", comment: "begin no further wave, even of a running apply" },
      { command: "rollout resume web", comment: "let the next apply continue" },
      { command: "rollout undo web", comment: "return web to what ran before its rollout" },
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
    return await (await import("../rollouts/rollout-status.ts")).rolloutStatus(args, context);
  if (service === undefined) refuse(`it needs a service; write stowage rollout ${verb} SERVICE`);
  if (verb === "undo")
    return await (await import("../rollouts/rollout-undo.ts")).rolloutUndo(args, context);
  return await (await import("../rollouts/rollout-mark.ts")).rolloutMark(
    args,
    context,
    verb === "pause",
  );
}

function isVerb(word: string): word is Verb {
  return Object.hasOwn(NEEDLESS, word);
}

function needlessFor(verb: "pause" | "resume"): Readonly<Record<string, string>> {
  return {
    host: `it covers all hosts of the service: they ${verb} together`,
    yes: "it never asks",
    "lock-timeout": "it waits for no lock",
    settle: "it starts nothing",
  };
}
