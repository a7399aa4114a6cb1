import { brakes, type Plan, waitingChanges } from "../plan/index.ts";
import { type ApplyFleetRequest, lookingSignal } from "./apply-request.ts";
import { ImageStore } from "./images/image-store.ts";
import { registryWaits } from "./images/registry-waits.ts";
import { LockedHosts } from "./locked-hosts.ts";
import { type FleetObservation, observeFleet, type Reach } from "./observe/observe-fleet.ts";
import { hostsWorkedOn, idleHosts, type PlanningRequest, planWith } from "./plan-apply.ts";
import { type ApplyReport, type ApplyStatus, untouchedReport } from "./report.ts";
import { runPlan } from "./run-plan.ts";
import { SecretValues } from "./secrets/secret-values.ts";
import { requireSecrets } from "./secrets/secrets.ts";

/**
 * Makes the hosts what the manifest says: locks them, looks at them, plans, asks, and does it.
 *
 * Safe to be killed at any moment: what is left is found by the next run. A change that fails is in
 * the report, it does not reject.
 *
 * @throws DiagnosticsError when the plan is refused, or a secret is not available
 * @throws StowageError `aborted` when a lock is not free in time, `failed_precondition` when the brakes
 *   hold or a saved plan is out of date; nothing was touched
 */
export async function applyFleet(request: ApplyFleetRequest): Promise<ApplyReport> {
  const { allowRemovals, confirm, options } = request;
  await using store = openImages(request);
  const planning = { ...request, store, secrets: new SecretValues(request) };
  const idle = await idleHosts(planning);
  await using locked = lockedHosts(request);
  const { observation, made } = await planLocked(planning, locked, idle);
  if (options.destroy !== true) {
    brakes(made, allowRemovals === undefined ? {} : { allowRemovals });
  }
  const { pods, hostChanges } = dueChanges(made);
  await requireSecrets(pods, planning.secrets);
  const end = endWithout(made, [...pods, ...hostChanges]);
  if (end !== undefined) return untouchedReport(made, end);
  if (!(await confirm(made))) return untouchedReport(made, "declined");
  const run = { ...planning, plan: made, locked, observation };
  return await runPlan({ ...run, audited: request.command ?? "apply" });
}

/**
 * Locks the hosts that there is something to do on, and plans from what is seen of them under the locks; the rest
 * stays as it was seen before, or is given back.
 */
async function planLocked(
  request: PlanningRequest,
  locked: LockedHosts,
  idle: FleetObservation["hosts"],
): Promise<{ readonly observation: FleetObservation; readonly made: Plan }> {
  for (let seen = idle; ; ) {
    const observation = await lookLocked(request, locked, seen);
    const made = await planWith(request, observation);
    const worked = hostsWorkedOn(made);
    const grown = [...worked].filter((name) => seen.has(name));
    if (grown.length === 0) {
      locked.keepOnly(worked);
      return { observation, made };
    }
    seen = new Map([...seen].filter(([name]) => !grown.includes(name)));
  }
}

/** The changes of a plan without those that wait for a rollout to be resumed. */
function dueChanges(made: Plan): Pick<Plan, "pods" | "hostChanges"> {
  const waiting = waitingChanges(made);
  return {
    pods: made.pods.filter(({ id }) => !waiting.has(id)),
    hostChanges: made.hostChanges.filter(({ id }) => !waiting.has(id)),
  };
}

/** How an apply ends that has nothing to do; undefined where it has. */
function endWithout(
  { pods, hostChanges }: Plan,
  due: readonly { readonly steps: readonly unknown[] }[],
): ApplyStatus | undefined {
  if (pods.length === 0 && hostChanges.length === 0) return "converged";
  if (due.some(({ steps }) => steps.length > 0)) return undefined;
  return due.length === 0 ? "paused" : "incomplete";
}

/**
 * Opens, locks and observes the hosts of a request; gives everything back at the end. Until that is done nothing
 * runs that would have to end first: it stops at once where the apply is to begin no more.
 */
export async function withLockedHosts<T>(
  request: ApplyFleetRequest,
  use: (locked: LockedHosts, observation: FleetObservation, store: ImageStore) => Promise<T>,
): Promise<T> {
  await using store = openImages(request);
  await using locked = lockedHosts(request);
  return await use(locked, await lookLocked(request, locked), store);
}

function openImages(request: ApplyFleetRequest): ImageStore {
  const { manifest, manifestDir, onEvent } = request;
  return new ImageStore(manifest, manifestDir, { ...request, ...registryWaits(onEvent) });
}

function lockedHosts(request: ApplyFleetRequest): LockedHosts {
  return new LockedHosts({
    ...request,
    owner: request.appliedBy,
    signal: lookingSignal(request),
  });
}

async function lookLocked(
  request: ApplyFleetRequest,
  locked: LockedHosts,
  seen?: FleetObservation["hosts"],
): Promise<FleetObservation> {
  const { onEvent } = request;
  const reach: Reach = (name, spec) => locked.open(name, spec);
  return await locked.gather((signal) =>
    observeFleet({ ...request, signal, onProgress: onEvent, reach, seen }),
  );
}
