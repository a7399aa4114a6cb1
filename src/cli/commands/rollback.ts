import { DiagnosticsError, StowageError } from "../../errors/index.ts";
import { type FleetManifest, validateFleet } from "../../model/index.ts";
import {
  applyFleet,
  inService,
  type RollbackTarget,
  readPodRecords,
  rollbackTarget,
  rollbackWarnings,
  rolledBack,
} from "../../reconcile/index.ts";
import { requireAnswer } from "../apply/require-answer.ts";
import { runFleet } from "../apply/run-fleet.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import { RUN_OPTIONS } from "../command-line/run-options.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { type PodName, podNameText, readPodName } from "../pods/pod-names.ts";
import { problemsOf, readHosts } from "../pods/read-hosts.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { fleetRequest, PLAN_OPTIONS } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { printable } from "../text/printable.ts";
import { didYouMean } from "../text/suggest.ts";

/** `stowage rollback`. */
export const rollbackCommand: Command = {
  help: {
    name: "rollback",
    summary:
      "Returns a pod to what was applied before, on each of its hosts. Shows the plan and asks first.",
    operands: "POD",
    minOperands: 1,
    maxOperands: 1,
    options: {
      to: { value: "N", description: "Record to return to (default: the one before the current)" },
      host: PLAN_OPTIONS.host,
      yes: RUN_OPTIONS.yes,
      "lock-timeout": RUN_OPTIONS["lock-timeout"],
      settle: RUN_OPTIONS.settle,
      json: {
        description: "Print targets, plan, progress and report as JSON lines; needs --yes",
      },
    },
    details: [
      "It is an apply of the old record, with the same steps and checks, and is itself rolled back if it fails. Images are the old ones, by digest; secrets have their current values. The pods of a service have the service's name.",
      "The declaration is not changed: until you change it, the next apply goes forward again. If one of the hosts has no such record, or its image is not available, nothing is done.",
    ],
    examples: [
      { command: "rollback web", comment: "to what ran before, on every host of web" },
      { command: "history web", comment: "list the records to choose from" },
      {
        command: "rollback edge-a/web --to 3 --yes",
        comment: "to record 3, on one host, without asking",
      },
    ],
  },
  changes: true,
  run: rollback,
};

async function rollback(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [yes, json] = [args.flag("yes"), args.flag("json")];
  requireAnswer(context, "rollback", { yes, json, look: "stowage history" });
  const lockTimeoutMs = args.durationMs("lock-timeout") ?? 0;
  const name = readPodName(args.operands[0] ?? "");
  const { pod } = name;
  const fleet = await loadFleet(args, context);
  const targets = await findTargets(fleet.manifest, name, args, context);
  const { manifest, pins } = rolledBack(fleet.manifest, targets);
  const errors = validateFleet(manifest).filter(({ severity }) => severity === "error");
  if (errors.length > 0)
    throw new DiagnosticsError(`The fleet with pod "${pod}" rolled back`, errors);
  tell(targets, json, context);
  const request = await fleetRequest({ ...fleet, manifest }, args, context);
  const warnings = rollbackWarnings(fleet.manifest, targets);
  return await runFleet(context, { json, yes, question: "Go back to this? Type yes:" }, (hooks) =>
    applyFleet({
      ...request,
      ...hooks,
      pins,
      options: { despitePauses: true, hosts: targets.map(({ host }) => host), pods: [pod] },
      narrow: (plan) => ({ ...plan, warnings: [...plan.warnings, ...warnings] }),
      command: "rollback",
      appliedBy: context.appliedBy,
      lockTimeoutMs,
      settleMs: args.durationMs("settle"),
      draining: context.drain,
      signal: context.abort,
    }),
  );
}

async function findTargets(
  manifest: FleetManifest,
  name: PodName,
  args: Arguments,
  context: CommandContext,
): Promise<readonly RollbackTarget[]> {
  const { pod } = name;
  const hosts = selectHosts(manifest, args, [name]).filter(([, { pods }]) =>
    Object.hasOwn(pods ?? {}, pod),
  );
  if (hosts.length === 0) throw notDeclared(manifest, name);
  const number = args.count("to", 1);
  const found = await readHosts(
    hosts,
    context,
    args.count("parallelism", 1),
    async ({ host }, hostName, spec) => {
      const records = await readPodRecords(host, manifest, spec, context.drain);
      const own = inService(records.get(pod) ?? [], spec.pods?.[pod]);
      return { target: rollbackTarget(hostName, pod, own, number) };
    },
  );
  const problems = problemsOf(found).map(({ host, problem }) => ({
    severity: "error" as const,
    path: `hosts.${host}`,
    summary: problem.message,
    detail: "name the hosts that can go back with --host",
  }));
  const [first] = problemsOf(found);
  if (first !== undefined && found.length === 1) throw first.problem;
  if (problems.length > 0) throw new DiagnosticsError(`The rollback of pod "${pod}"`, problems);
  return found.flatMap((each) => ("target" in each ? [each.target] : []));
}

function notDeclared({ name, hosts }: FleetManifest, wanted: PodName): StowageError {
  const declared = Object.values(hosts).flatMap(({ pods }) => Object.keys(pods ?? {}));
  const known = [...new Set(declared)];
  return new StowageError(
    `Cannot roll back pod "${podNameText(wanted)}": fleet "${name}" does not declare it there; ${didYouMean(wanted.pod, known, `it declares ${known.join(", ") || "no pods"}`)}`,
    { code: "not_found" },
  );
}

function tell(targets: readonly RollbackTarget[], json: boolean, { stdout }: CommandContext): void {
  if (json) {
    const lines = targets.map(({ host, pod, from, to }) => ({
      host,
      pod,
      ...(from === undefined ? {} : { from: from.number }),
      to: to.number,
      appliedAt: to.appliedAt,
      appliedBy: to.appliedBy,
    }));
    stdout.write(`${JSON.stringify({ type: "rollback", targets: lines })}\n`);
    return;
  }
  for (const { host, pod, from, to } of targets) {
    const was = from === undefined ? "" : `from record ${from.number} `;
    stdout.write(
      `${host}/${pod} goes ${was}back to record ${to.number}, applied ${to.appliedAt} by ${printable(to.appliedBy)}\n`,
    );
  }
  stdout.write("\n");
}
