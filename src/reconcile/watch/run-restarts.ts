import {
  PLAN_VERSION,
  type Plan,
  planRestarts,
  type UnhealthyContainer,
} from "../../plan/index.ts";
import { withLockedHosts } from "../apply-fleet.ts";
import type { ApplyFleetRequest } from "../apply-request.ts";
import type { ChangeOutcome } from "../execute/events.ts";
import { runPlan } from "../run-plan.ts";
import { SecretValues } from "../secrets/secret-values.ts";

/**
 * Starts pods again that ended or are unhealthy, under the locks of their hosts: those of `ids` that, looked
 * at under the lock, still want it.
 *
 * @throws StowageError `aborted` when a host is locked
 */
export async function runRestarts(
  request: ApplyFleetRequest,
  ids: ReadonlySet<string>,
  unhealthy: readonly UnhealthyContainer[],
): Promise<readonly ChangeOutcome[]> {
  const hosts = [...new Set([...ids].map((id) => id.slice(0, id.indexOf("/"))))];
  const options = { ...request.options, hosts };
  return await withLockedHosts({ ...request, options }, async (locked, observation, store) => {
    const { manifest } = request;
    const input = { manifest, hosts: observation.hosts, options };
    const { restarts } = planRestarts(input, unhealthy);
    const pods = restarts
      .map(({ change }) => change)
      .filter(({ id }) => ids.has(id))
      .map((change) => ({ ...change, after: change.after.filter((id) => ids.has(id)) }));
    if (pods.length === 0) return [];
    const plan: Plan = {
      version: PLAN_VERSION,
      owner: manifest.id,
      fleet: manifest.name,
      hosts: [],
      pods,
      hostChanges: [],
      warnings: [],
      partial: true,
    };
    const secrets = new SecretValues(request);
    const run = { ...request, options, plan, locked, observation, store, secrets };
    const report = await runPlan(run);
    return report.outcomes;
  });
}
