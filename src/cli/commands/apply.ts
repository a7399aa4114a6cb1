import { resolve } from "node:path";
import { StowageError } from "../../errors/index.ts";
import type { Plan } from "../../plan/index.ts";
import { type ApplyFleetRequest, applyFleet } from "../../reconcile/index.ts";
import { requireAnswer } from "../apply/require-answer.ts";
import { runFleet } from "../apply/run-fleet.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import { RUN_OPTIONS } from "../command-line/run-options.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { checkPods } from "../pods/check-pods.ts";
import { countPods } from "../pods/count-pods.ts";
import { readPodName } from "../pods/pod-names.ts";
import { fleetRequest, PLAN_OPTIONS, planOptions } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";

/** `stowage apply`. */
export const applyCommand: Command = {
  help: {
    name: "apply",
    summary: "Changes the hosts to match the declaration. Shows the plan and asks first.",
    operands: "[PLANFILE]",
    maxOperands: 1,
    options: {
      ...PLAN_OPTIONS,
      plan: {
        value: "PLANFILE",
        description: "Apply this saved plan; refused if a host has changed since",
      },
      "manifest-digest": {
        value: "DIGEST",
        description: "Apply the manifest only if it is this one; Terraform names what it planned",
      },
      yes: RUN_OPTIONS.yes,
      "allow-removals": {
        value: "N",
        description: "Allow up to N running pods to be removed, even if that is more than half",
      },
      "lock-timeout": RUN_OPTIONS["lock-timeout"],
      settle: RUN_OPTIONS.settle,
      json: RUN_OPTIONS.json,
    },
    details: [
      "It may be killed at any moment: applying again reaches the same end state. Ctrl-C finishes the running steps and starts no more.",
      "PLANFILE is what stowage plan --out wrote.",
    ],
    exitCodes:
      "0 all is done; 2 all is done except what waits for a paused rollout; 1 something was not done, or an error.",
    examples: [
      { command: "apply", comment: "plan, ask, then do it" },
      { command: "apply --yes", comment: "for scripts" },
      {
        command: "apply edge-a.plan",
        comment: "exactly what stowage plan --out edge-a.plan showed",
      },
      {
        command: "apply --pod web --lock-timeout 2m",
        comment: "one pod; wait for another apply to end",
      },
    ],
  },
  changes: true,
  run: apply,
};

type FleetToApply = Omit<ApplyFleetRequest, "confirm" | "onEvent" | "appliedBy" | "lockTimeoutMs">;

async function apply(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [yes, json] = [args.flag("yes"), args.flag("json")];
  requireAnswer(context, "apply", { yes, json });
  const lockTimeoutMs = args.durationMs("lock-timeout") ?? 0;
  const fleet = await whatToApply(args, context);
  const declaredPods = countPods(fleet.manifest);
  const question = "Apply this plan? Type yes:";
  const check = (plan: Plan): void =>
    checkPods(fleet.manifest, {
      doing: "plan",
      wanted: (fleet.options.pods ?? []).map(readPodName),
      there: plan.pods,
    });
  return await runFleet(context, { json, yes, question, check, declaredPods }, (hooks) =>
    applyFleet({
      ...fleet,
      ...hooks,
      appliedBy: context.appliedBy,
      lockTimeoutMs,
      settleMs: args.durationMs("settle"),
      allowRemovals: args.count("allow-removals"),
      draining: context.drain,
      signal: context.abort,
    }),
  );
}

async function whatToApply(args: Arguments, context: CommandContext): Promise<FleetToApply> {
  const file = args.text("plan") ?? args.operands[0];
  if (file === undefined) {
    const fleet = await loadFleet(args, context);
    return { ...(await fleetRequest(fleet, args, context)), options: planOptions(args) };
  }
  const given = ["file", "fleet", "manifest-digest", ...Object.keys(PLAN_OPTIONS)].find((name) =>
    args.flag(name),
  );
  if (given !== undefined) {
    throw new StowageError(
      `Cannot use --${given} with a saved plan: its changes are fixed; leave --${given} out`,
      { code: "invalid_argument" },
    );
  }
  const { readSavedPlan } = await import("../plan/saved-plan.ts");
  const { manifest, baseDir, options, plan } = await readSavedPlan(resolve(context.cwd, file));
  const request = await fleetRequest({ manifest, baseDir }, args, context);
  return { ...request, options, savedPlan: plan };
}
