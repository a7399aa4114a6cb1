import { DiagnosticsError, StowageError } from "../errors/index.ts";
import { anySignal } from "../internal/index.ts";
import type { FleetManifest } from "../model/index.ts";
import {
  brakes,
  fingerprintOf,
  type Plan,
  pausesOf,
  waitingChanges,
  withPauses,
} from "../plan/index.ts";
import type { ApplyFleetRequest } from "./apply-request.ts";
import { ImageStore } from "./images/image-store.ts";
import { registryWaits } from "./images/registry-waits.ts";
import { LockedHosts } from "./locked-hosts.ts";
import { type FleetObservation, observeFleet, type Reach } from "./observe/observe-fleet.ts";
import { planObserved } from "./plan-fleet.ts";
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
 * @throws DiagnosticsError when the plan is refused, or a secret is not at hand
 * @throws StowageError `aborted` when a lock is not free in time, `failed_precondition` when the brakes
 *   hold or a saved plan is out of date; nothing was touched
 */
export async function applyFleet(request: ApplyFleetRequest): Promise<ApplyReport> {
  return await withLockedHosts(request, async (locked, observation, store) => {
    const { savedPlan, allowRemovals, confirm, options, narrow = (whole: Plan) => whole } = request;
    const secrets = new SecretValues(request);
    const made = narrow(
      savedPlan === undefined
        ? await planObserved({ ...request, secrets }, observation, store)
        : checkSavedPlan(savedPlan, request.manifest, observation),
      observation,
    );
    if (options.destroy !== true) {
      brakes(made, allowRemovals === undefined ? {} : { allowRemovals });
    }
    const { pods, hostChanges } = dueChanges(made);
    await requireSecrets(pods, secrets);
    const end = endWithout(made, [...pods, ...hostChanges]);
    if (end !== undefined) return untouchedReport(made, end);
    if (!(await confirm(made))) return untouchedReport(made, "declined");
    const run = { ...request, plan: made, locked, observation, store, secrets };
    return await runPlan({ ...run, audited: request.command ?? "apply" });
  });
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
  const { manifest, manifestDir, connector, appliedBy, onEvent } = request;
  const waits = registryWaits(onEvent);
  await using store = new ImageStore(manifest, manifestDir, { ...request, ...waits });
  const signal = lookingSignal(request);
  await using locked = new LockedHosts({ ...request, connector, owner: appliedBy, signal });
  const reach: Reach = (name, spec) => locked.open(name, spec);
  const observation = await locked.gather((look) =>
    observeFleet({ ...request, signal: look, onProgress: onEvent, reach }),
  );
  return await use(locked, observation, store);
}

/** What ends the looking before anything is changed. */
export function lookingSignal({
  signal,
  draining,
}: Pick<ApplyFleetRequest, "signal" | "draining">): AbortSignal {
  return anySignal([signal, draining].filter((each) => each !== undefined));
}

function checkSavedPlan(saved: Plan, manifest: FleetManifest, { hosts }: FleetObservation): Plan {
  if (saved.owner !== manifest.id || saved.fleet !== manifest.name) {
    throw new StowageError(
      `Cannot apply the saved plan of fleet "${saved.fleet}": the manifest is of fleet "${manifest.name}" of owner ${manifest.id}; make a new plan`,
      { code: "failed_precondition" },
    );
  }
  const moved = saved.hosts.flatMap(({ host, fingerprint }) => {
    const found = hosts.get(host);
    const now = found?.kind === "observed" ? fingerprintOf(found) : undefined;
    if (now === fingerprint) return [];
    const summary =
      found?.kind === "unreachable" ? found.reason : "it changed since the plan was made";
    return [
      { severity: "error" as const, path: `hosts.${host}`, summary, detail: "make a new plan" },
    ];
  });
  const pauses = pausesOf(manifest, hosts);
  const resumed = (saved.rollouts ?? [])
    .filter(({ service, paused }) => paused !== undefined && !pauses.has(service))
    .map(({ service }) => ({
      severity: "error" as const,
      path: `service ${service}`,
      summary: "its rollout was paused when the plan was made, and goes on now",
      detail: "make a new plan",
    }));
  const problems = [...moved, ...resumed];
  if (problems.length > 0) throw new DiagnosticsError("The saved plan", problems);
  return withPauses(saved, pauses);
}
