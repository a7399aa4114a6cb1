import { StowageError } from "../../errors/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import type { Plan } from "../../plan/index.ts";
import { applyFleet } from "../../reconcile/index.ts";
import { requireAnswer } from "../apply/require-answer.ts";
import { runFleet } from "../apply/run-fleet.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import { RUN_OPTIONS } from "../command-line/run-options.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { type DeclaredPod, declaredPods } from "../pods/declared-pods.ts";
import { type PodName, readPodName } from "../pods/pod-names.ts";
import { fleetRequest, PLAN_OPTIONS } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { printable } from "../text/printable.ts";

/** `stowage restart`. */
export const restartCommand: Command = {
  help: {
    name: "restart",
    summary:
      "Restarts the containers of pods as they were last applied. Shows the plan and asks first.",
    operands: "[POD...]",
    maxOperands: Number.POSITIVE_INFINITY,
    options: {
      all: { description: "Restart all pods of the fleet" },
      host: PLAN_OPTIONS.host,
      ...RUN_OPTIONS,
    },
    details: [
      "It is an apply that only restarts: with the same locks, order, rollout waves, draining and health checks. Volumes, files and the containers' writable layers are kept. If a pod has changes that were not applied yet, nothing is restarted.",
      "A pod that is down is started. One that has ended, as its restart policy allows, is left alone. It may be killed at any moment: run it again, or apply.",
    ],
    examples: [
      { command: "restart web", comment: "on every host of pod web" },
      { command: "restart edge-a/web db --yes", comment: "a pod on one host, and another pod" },
      { command: "restart --all --host edge-a", comment: "all pods of one host" },
    ],
  },
  changes: true,
  run: restart,
};

async function restart(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [yes, json, all] = [args.flag("yes"), args.flag("json"), args.flag("all")];
  const wanted = args.operands.map(readPodName);
  checkWanted(wanted, all);
  requireAnswer(context, "restart", { yes, json, look: "stowage ps" });
  const lockTimeoutMs = args.durationMs("lock-timeout") ?? 0;
  const settleMs = args.durationMs("settle");
  const fleet = await loadFleet(args, context);
  const meant = findMeant(fleet.manifest, wanted, args);
  const [hosts, pods] = [
    unique(meant.map(({ host }) => host)),
    unique(meant.map(({ pod }) => pod)),
  ];
  const restarted = meant.map(({ host, pod }) => `${host}/${pod}`);
  const request = await fleetRequest(fleet, args, context);
  const question = "Restart these pods? Type yes:";
  const check = ({ pods: due, warnings }: Plan): void => {
    // a plan of nothing is not shown
    if (due.length === 0) for (const each of warnings) context.stderr.write(`${printable(each)}\n`);
  };
  return await runFleet(context, { json, yes, question, check, verb: "restart" }, (hooks) =>
    applyFleet({
      ...request,
      ...hooks,
      options: { despitePauses: true, hosts, pods, restart: restarted },
      command: "restart",
      appliedBy: context.appliedBy,
      lockTimeoutMs,
      settleMs,
      draining: context.drain,
      signal: context.abort,
    }),
  );
}

/** @throws StowageError `invalid_argument` unless either names or `--all` say what is meant */
function checkWanted(wanted: readonly PodName[], all: boolean): void {
  if (wanted.length > 0 !== all) return;
  const problem = all
    ? "pods are named along with --all; leave out one of the two"
    : "no pod is named; name pods, or use --all";
  throw new StowageError(`Cannot restart: ${problem}`, { code: "invalid_argument" });
}

/** Pods of the fleet that are meant. @throws StowageError `not_found` for a name that no pod has, or if there are none */
function findMeant(
  manifest: FleetManifest,
  wanted: readonly PodName[],
  args: Arguments,
): readonly DeclaredPod[] {
  const meant = declaredPods(manifest, wanted, args, "restart");
  if (meant.length > 0) return meant;
  throw new StowageError(
    `Cannot restart the pods of fleet "${manifest.name}": none is declared there; see stowage ps`,
    { code: "not_found" },
  );
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
