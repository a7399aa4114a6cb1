import { DiagnosticsError, StowageError } from "../../errors/index.ts";
import { validateFleet } from "../../model/index.ts";
import type { ServicePod } from "../../plan/index.ts";
import {
  applyFleet,
  readPodRecords,
  rollbackWarnings,
  rolledBack,
  type UndoTarget,
  undoTargets,
} from "../../reconcile/index.ts";
import { requireAnswer } from "../apply/require-answer.ts";
import { runFleet } from "../apply/run-fleet.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { problemsOf, readHosts } from "../pods/read-hosts.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { fleetRequest } from "../project/fleet-request.ts";
import { type LoadedFleet, loadFleet } from "../project/load-fleet.ts";
import { printable } from "../text/printable.ts";
import { seeServices } from "./rollout-status.ts";
import { findService } from "./services.ts";

/** `stowage rollout undo`. */
export async function rolloutUndo(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [yes, json] = [args.flag("yes"), args.flag("json")];
  requireAnswer(context, "undo", { yes, json, look: "stowage rollout status" });
  const fleet = await loadFleet(args, context);
  const service = findService(fleet.manifest, args.operands[1] ?? "");
  const { targets, without } = await findTargets(fleet, service, args, context);
  if (!targets.some(({ goesBack }) => goesBack)) throw nothingToUndo(service, without);
  const { manifest, pins } = rolledBack(fleet.manifest, targets);
  const errors = validateFleet(manifest).filter(({ severity }) => severity === "error");
  if (errors.length > 0)
    throw new DiagnosticsError(`The fleet with service "${service}" rolled back`, errors);
  tell(targets, json, context);
  const warnings = [
    ...rollbackWarnings(fleet.manifest, targets),
    ...without.map(({ id }) => `${id} stays as it is: its host keeps no older record of it`),
  ];
  const request = await fleetRequest({ ...fleet, manifest }, args, context);
  return await runFleet(context, { json, yes, question: "Go back to this? Type yes:" }, (hooks) =>
    applyFleet({
      ...request,
      ...hooks,
      pins,
      options: {
        despitePauses: true,
        hosts: [...new Set(targets.map(({ host }) => host))],
        pods: [...new Set(targets.map(({ pod }) => pod))],
      },
      narrow: (plan) => ({ ...plan, warnings: [...plan.warnings, ...warnings] }),
      command: "rollout undo",
      appliedBy: context.appliedBy,
      lockTimeoutMs: args.durationMs("lock-timeout") ?? 0,
      settleMs: args.durationMs("settle"),
      draining: context.drain,
      signal: context.abort,
    }),
  );
}

async function findTargets(
  fleet: LoadedFleet,
  service: string,
  args: Arguments,
  context: CommandContext,
) {
  const { manifest } = fleet;
  const { pods } = await seeServices(fleet, [service], args, context);
  const hosts = new Set(pods.map(({ host }) => host));
  const found = await readHosts(
    selectHosts(manifest, args).filter(([name]) => hosts.has(name)),
    context,
    args.count("parallelism", 1),
    async ({ host }, _, spec) => ({
      records: await readPodRecords(host, manifest, spec, context.drain),
    }),
  );
  const problems = new Map([
    ...pods.flatMap(({ host, state, reason = "" }) =>
      state === "unreachable" ? [[host, reason] as const] : [],
    ),
    ...problemsOf(found).map(({ host, problem }) => [host, problem.message] as const),
  ]);
  if (problems.size > 0)
    throw new DiagnosticsError(
      `The undoing of the rollout of service "${service}"`,
      [...problems].map(([host, summary]) => ({
        severity: "error" as const,
        path: `hosts.${host}`,
        summary,
        detail: "name the hosts that can go back with --host",
      })),
    );
  const records = new Map(
    found.flatMap((each) => ("records" in each ? [[each.host, each.records] as const] : [])),
  );
  return undoTargets(manifest, pods, ({ host, pod }) => records.get(host)?.get(pod) ?? []);
}

function nothingToUndo(service: string, without: readonly ServicePod[]): StowageError {
  const state =
    without.length === 0
      ? "none of its pods runs what is declared now"
      : `its hosts keep no older record of ${without.map(({ id }) => id).join(", ")}, and no other pod runs what is declared now`;
  return new StowageError(
    `Cannot undo the rollout of service "${service}": ${state}; see stowage rollout status ${service}, or go further back with stowage rollback`,
    { code: "failed_precondition" },
  );
}

function tell(
  targets: readonly UndoTarget[],
  json: boolean,
  { stdout }: Pick<CommandContext, "stdout">,
): void {
  const lines = targets.map(({ host, pod, goesBack, from, to }) => ({
    host,
    pod,
    goesBack,
    ...(from === undefined ? {} : { from: from.number }),
    to: to.number,
    appliedAt: to.appliedAt,
    appliedBy: to.appliedBy,
  }));
  if (json) stdout.write(`${JSON.stringify({ type: "undo", targets: lines })}\n`);
  else
    for (const { host, pod, goesBack, from, to, appliedAt, appliedBy } of lines) {
      const where = goesBack ? `goes from record ${from} back to` : "stays with";
      stdout.write(
        `${host}/${pod} ${where} record ${to}, applied ${appliedAt} by ${printable(appliedBy)}\n`,
      );
    }
  if (!json) stdout.write("\n");
}
