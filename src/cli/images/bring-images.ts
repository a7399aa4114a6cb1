import { imagesOnly, type Plan, type PlanOptions } from "../../plan/index.ts";
import { applyFleet } from "../../reconcile/index.ts";
import { runFleet } from "../apply/run-fleet.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { OptionSpec } from "../command-line/command.ts";
import { RUN_OPTIONS } from "../command-line/run-options.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { checkPods } from "../pods/check-pods.ts";
import { readPodName } from "../pods/pod-names.ts";
import { fleetRequest, PLAN_OPTIONS, planOptions } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";

/** Options of commands that bring images, and nothing else. */
export const BRING_OPTIONS = {
  host: PLAN_OPTIONS.host,
  pod: { ...PLAN_OPTIONS.pod, description: "Only images of pods of this name" },
  "lock-timeout": RUN_OPTIONS["lock-timeout"],
  json: { description: "Print progress and report as JSON lines" },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Brings the images of a declaration to its hosts. */
export async function bringImages(
  args: Arguments,
  context: CommandContext,
  verb: "pull" | "push",
): Promise<ExitCode> {
  const json = args.flag("json");
  const lockTimeoutMs = args.durationMs("lock-timeout") ?? 0;
  const fleet = await loadFleet(args, context);
  const request = await fleetRequest(fleet, args, context);
  const options: PlanOptions = {
    ...planOptions(args),
    ...(verb === "push" ? { sendImages: true } : {}),
  };
  const check = (plan: Plan): void =>
    checkPods(fleet.manifest, {
      doing: "plan",
      wanted: (options.pods ?? []).map(readPodName),
      there: plan.pods,
    });
  // nothing that runs is changed by it, so it does not ask
  return await runFleet(context, { json, yes: true, question: "", check, verb }, (hooks) =>
    applyFleet({
      ...request,
      ...hooks,
      options,
      command: verb,
      narrow: imagesOnly,
      appliedBy: context.appliedBy,
      lockTimeoutMs,
      draining: context.drain,
      signal: context.abort,
    }),
  );
}
