import { type Plan, planPrune, type Retention } from "../plan/index.ts";
import { withLockedHosts } from "./apply-fleet.ts";
import type { ApplyFleetRequest } from "./apply-request.ts";
import type { HostReading } from "./connector.ts";
import { observeFleet } from "./observe/observe-fleet.ts";
import type { PlanFleetRequest } from "./plan-fleet.ts";
import { type ApplyReport, untouchedReport } from "./report.ts";
import { runPlan } from "./run-plan.ts";
import { SecretValues } from "./secrets/secret-values.ts";

/** What would be pruned; nothing is changed anywhere. */
export async function planPruning(
  request: PlanFleetRequest & { readonly retention: Retention },
): Promise<Plan> {
  const { connector, signal, manifest, options, retention } = request;
  const readings: HostReading[] = [];
  try {
    const { hosts } = await observeFleet({
      ...request,
      reach: async (name, spec) => {
        const reading = await connector.read(name, spec, signal);
        readings.push(reading);
        return reading;
      },
    });
    return planPrune({ manifest, hosts, options }, retention);
  } finally {
    await Promise.allSettled(readings.map((reading) => reading[Symbol.asyncDispose]()));
  }
}

/**
 * Takes away what a fleet can do without on its hosts, under their locks. Safe to be killed at any moment:
 * pruning again goes on.
 *
 * @throws DiagnosticsError when a host must not be worked on; nothing was touched
 */
export async function pruneFleet(
  request: ApplyFleetRequest & { readonly retention: Retention },
): Promise<ApplyReport> {
  return await withLockedHosts(request, async (locked, observation, store) => {
    const { manifest, options, retention, confirm } = request;
    const plan = planPrune({ manifest, hosts: observation.hosts, options }, retention);
    const hasSteps = [...plan.pods, ...plan.hostChanges].some(({ steps }) => steps.length > 0);
    if (!hasSteps)
      return untouchedReport(plan, plan.hostChanges.length === 0 ? "converged" : "incomplete");
    if (!(await confirm(plan))) return untouchedReport(plan, "declined");
    const secrets = new SecretValues(request);
    return await runPlan({ ...request, plan, locked, observation, store, secrets });
  });
}
