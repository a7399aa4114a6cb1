import { resolve } from "node:path";
import { formatDiagnostic } from "../../errors/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import { isConverged } from "../../plan/index.ts";
import { type FleetObservation, planFleet } from "../../reconcile/index.ts";
import type { Arguments } from "../arguments.ts";
import { checkPods } from "../check-pods.ts";
import type { Command } from "../command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { countPods } from "../count-pods.ts";
import { fleetRequest, PLAN_OPTIONS, planOptions } from "../fleet-request.ts";
import { loadFleet } from "../load-fleet.ts";
import { planJson } from "../plan-json.ts";
import { renderPlan } from "../render-plan.ts";
import { writeSavedPlan } from "../saved-plan.ts";
import { printable } from "../text/printable.ts";

/** `stowage plan`. */
export const planCommand: Command = {
  help: {
    name: "plan",
    summary: "Shows what apply would do, why, and in which steps. It cannot change anything.",
    options: {
      ...PLAN_OPTIONS,
      out: { value: "FILE", description: "Save the plan, for stowage apply FILE" },
      json: { description: "Print the plan as JSON" },
    },
    details: [
      "A declared host that cannot be reached is an error; the rest of the plan is shown all the same.",
    ],
    examples: [
      { command: "plan", comment: "run the app and plan its fleet" },
      { command: "plan -f fleet.json; echo $?", comment: "0: nothing to do, 2: changes" },
      { command: "plan --host edge-a --out edge-a.plan", comment: "plan one host, apply it later" },
    ],
  },
  run: plan,
};

async function plan(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const fleet = await loadFleet(args, context);
  const options = planOptions(args);
  const request = await fleetRequest(fleet, args, context);
  const out = args.text("out");
  const { plan: made, observation } = await planFleet({
    ...request,
    options: { ...options, fingerprints: out !== undefined },
    signal: context.drain,
  });
  checkPods(fleet.manifest, made, options);
  const { stdout, stderr, paint } = context;
  const unreachable = unreachableHosts(fleet.manifest, observation);
  const exitCode = unreachable.length > 0 ? 1 : isConverged(made) ? 0 : 2;
  if (out !== undefined) {
    const { manifest, baseDir } = fleet;
    await writeSavedPlan(resolve(context.cwd, out), { manifest, baseDir, options, plan: made });
  }
  if (args.flag("json")) {
    stdout.write(
      `${JSON.stringify({ converged: isConverged(made), exitCode, plan: planJson(made) })}\n`,
    );
    return exitCode;
  }
  for (const warning of fleet.warnings)
    stderr.write(`warning:${printable(formatDiagnostic(warning)).slice(1)}\n`);
  const declaredPods = countPods(fleet.manifest);
  stdout.write(
    renderPlan(made, { paint, columns: stdout.columns, now: context.now(), declaredPods }),
  );
  if (out !== undefined) stdout.write(`Saved to ${out}; stowage apply ${out} does exactly this.\n`);
  for (const { host, reason } of unreachable) {
    stderr.write(`Error: host ${host} could not be looked at: ${printable(reason)}\n`);
  }
  return exitCode;
}

/** Declared hosts that the plan says nothing of because they were not reached. */
function unreachableHosts(
  manifest: FleetManifest,
  { hosts }: FleetObservation,
): readonly { readonly host: string; readonly reason: string }[] {
  return [...hosts].flatMap(([host, found]) =>
    found.kind === "unreachable" && Object.hasOwn(manifest.hosts, host)
      ? [{ host, reason: found.reason }]
      : [],
  );
}
