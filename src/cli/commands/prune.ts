import type { Retention } from "../../plan/index.ts";
import { planPruning, pruneFleet } from "../../reconcile/index.ts";
import { requireAnswer } from "../apply/require-answer.ts";
import { runFleet } from "../apply/run-fleet.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import { RUN_OPTIONS } from "../command-line/run-options.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { planJson } from "../plan/plan-json.ts";
import { renderPlan } from "../plan/render-plan.ts";
import { fleetRequest, PLAN_OPTIONS, planOptions } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";

const KEEP = 1;

/** `stowage prune`. */
export const pruneCommand: Command = {
  help: {
    name: "prune",
    summary:
      "Removes what the fleet does not need on its hosts: unused images, old generations that were kept, leftovers. Asks first.",
    options: {
      host: PLAN_OPTIONS.host,
      keep: {
        value: "N",
        description: `Number of old generations of each pod to keep (default ${KEEP})`,
      },
      records: {
        value: "N",
        description: "Number of old records of each pod to keep (default all)",
      },
      "older-than": {
        value: "TIME",
        description:
          "Only old generations and records that were applied longer ago than this, such as 7d",
      },
      "dry-run": { description: "Show what would be removed, and remove nothing" },
      yes: RUN_OPTIONS.yes,
      "lock-timeout": RUN_OPTIONS["lock-timeout"],
      json: RUN_OPTIONS.json,
    },
    details: [
      "With --records it also removes old records, to which no rollback is possible then; it names them.",
      "It keeps what runs, what is declared, all volumes and everything of others. It needs no registry, so it works on a full disk.",
      "The size of an image is the most that removing it can free: layers that other images share stay.",
      "With --dry-run it exits with 2 when something would be removed, 0 when nothing would.",
    ],
    examples: [
      { command: "prune --dry-run", comment: "what would be removed, and what that frees" },
      { command: "prune --keep 0 --yes", comment: "all old generations too" },
      { command: "prune --older-than 7d", comment: "but nothing of the last week" },
    ],
  },
  changes: true,
  run: prune,
};

async function prune(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [yes, json, dryRun] = [args.flag("yes"), args.flag("json"), args.flag("dry-run")];
  if (!dryRun) requireAnswer(context, "prune", { yes, json, look: "stowage prune --dry-run" });
  const retention = retentionOf(args, context);
  const lockTimeoutMs = args.durationMs("lock-timeout") ?? 0;
  const fleet = await loadFleet(args, context);
  const request = {
    ...(await fleetRequest(fleet, args, context)),
    options: planOptions(args),
    retention,
  };
  if (dryRun) return show(await planPruning({ ...request, signal: context.drain }), json, context);
  const question = "Remove this? Type yes:";
  return await runFleet(context, { json, yes, question, verb: "prune" }, (hooks) =>
    pruneFleet({
      ...request,
      ...hooks,
      appliedBy: context.appliedBy,
      lockTimeoutMs,
      draining: context.drain,
      signal: context.abort,
    }),
  );
}

function show(
  plan: Parameters<typeof renderPlan>[0],
  json: boolean,
  { stdout, paint, now }: CommandContext,
): ExitCode {
  const changes = [...plan.pods, ...plan.hostChanges];
  const isUnreachable = plan.hostChanges.some(({ action }) => action === "unreachable");
  const exitCode = isUnreachable ? 1 : changes.length === 0 ? 0 : 2;
  if (json) stdout.write(`${JSON.stringify({ exitCode, plan: planJson(plan) })}\n`);
  else if (changes.length === 0) stdout.write("Nothing to do: the hosts hold nothing to prune.\n");
  else stdout.write(renderPlan(plan, { paint, columns: stdout.columns, now: now() }));
  return exitCode;
}

function retentionOf(args: Arguments, { now }: CommandContext): Retention {
  const olderThanMs = args.durationMs("older-than");
  const records = args.count("records");
  return {
    keep: args.count("keep") ?? KEEP,
    ...(records === undefined ? {} : { records }),
    ...(olderThanMs === undefined ? {} : { before: now().getTime() - olderThanMs }),
  };
}
