import { imagesOnly } from "../../plan/index.ts";
import { applyFleet } from "../../reconcile/index.ts";
import type { Arguments } from "../arguments.ts";
import { checkPods } from "../check-pods.ts";
import type { Command } from "../command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { fleetRequest, PLAN_OPTIONS, planOptions } from "../fleet-request.ts";
import { loadFleet } from "../load-fleet.ts";
import { runFleet } from "../run-fleet.ts";

/** `stowage pull`. */
export const pullCommand: Command = {
  help: {
    name: "pull",
    summary:
      "Brings the images that the declaration names into the engines of its hosts. Pods are left as they are.",
    options: {
      host: PLAN_OPTIONS.host,
      pod: { ...PLAN_OPTIONS.pod, description: "Only images of pods of this name" },
      "lock-timeout": {
        value: "TIME",
        description: "Wait this long for a host that is locked (default 0s)",
      },
      json: { description: "Print progress and report as lines of JSON" },
    },
    details: [
      "An apply does the same before it stops anything: this is for doing it earlier. What is there already is not pulled again, and a pull that was cut short is gone on with.",
    ],
    examples: [
      { command: "pull", comment: "all hosts" },
      { command: "pull --host edge-a --pod web", comment: "what one pod of one host needs" },
    ],
  },
  run: pull,
};

async function pull(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const json = args.flag("json");
  const lockTimeoutMs = args.durationMs("lock-timeout") ?? 0;
  const fleet = await loadFleet(args, context);
  const request = await fleetRequest(fleet, args, context);
  const options = planOptions(args);
  const check = (plan: Parameters<typeof checkPods>[1]): void =>
    checkPods(fleet.manifest, plan, options);
  // nothing that runs is changed by it, so it does not ask
  return await runFleet(context, { json, yes: true, question: "", check, verb: "pull" }, (hooks) =>
    applyFleet({
      ...request,
      ...hooks,
      options,
      command: "pull",
      narrow: imagesOnly,
      appliedBy: context.appliedBy,
      lockTimeoutMs,
      draining: context.drain,
      signal: context.abort,
    }),
  );
}
