import { DiagnosticsError, StowageError } from "../errors/index.ts";
import type { FleetManifest } from "../model/index.ts";
import {
  fingerprintOf,
  type HostObservation,
  type HostUnreachable,
  type Plan,
  pausesOf,
  withPauses,
} from "../plan/index.ts";
import { type ApplyFleetRequest, lookingSignal } from "./apply-request.ts";
import type { ImageStore } from "./images/image-store.ts";
import { DEFAULT_PARALLELISM, type FleetObservation } from "./observe/observe-fleet.ts";
import { readFleet } from "./observe/read-fleet.ts";
import { planObserved } from "./plan-fleet.ts";
import type { SecretValues } from "./secrets/secret-values.ts";

/** An apply that has yet to be planned, and what that takes. */
export interface PlanningRequest extends ApplyFleetRequest {
  readonly store: ImageStore;
  readonly secrets: SecretValues;
}

/** A fleet of more hosts than so many times what is looked at at once is looked at before it is locked. */
const LOCKED_TIMES = 4;

/**
 * The hosts of a large fleet that there is nothing to do on, as they are seen without their locks. An apply keeps the
 * lock of each host that it works on, and a connection for it, to its end: that is for the others alone. A
 * small fleet is locked as a whole, which saves a second look at the hosts that there is something to do on.
 */
export async function idleHosts(request: PlanningRequest): Promise<FleetObservation["hosts"]> {
  const { manifest, options, parallelism = DEFAULT_PARALLELISM } = request;
  const hosts = options.hosts ?? Object.keys(manifest.hosts);
  if (hosts.length <= LOCKED_TIMES * parallelism) return new Map();
  const signal = lookingSignal(request);
  const observation = await readFleet({
    ...request,
    heedLocks: true,
    signal,
    onProgress: request.onEvent,
  });
  const worked = await hostsToLock(request, observation);
  return new Map(
    [...observation.hosts].filter(([name, found]) => !worked.has(name) && !isBusy(found)),
  );
}

/** The hosts that there is something to do on; none where a plan is refused for what somebody may be changing just now. */
async function hostsToLock(
  request: PlanningRequest,
  observation: FleetObservation,
): Promise<ReadonlySet<string>> {
  try {
    return hostsWorkedOn(await planWith(request, observation));
  } catch (error) {
    const isRefusal =
      error instanceof DiagnosticsError || StowageError.is(error, "failed_precondition");
    if (isRefusal && [...observation.hosts.values()].some(isBusy)) return new Set();
    throw error;
  }
}

function isBusy(found: HostObservation | HostUnreachable): boolean {
  return found.kind === "observed" && found.busy !== undefined;
}

/** Plans what an apply is to do; a plan that was made earlier is taken as long as no host has moved on. */
export async function planWith(
  request: PlanningRequest,
  observation: FleetObservation,
): Promise<Plan> {
  const { savedPlan, manifest, store, narrow = (whole: Plan) => whole } = request;
  const made =
    savedPlan === undefined
      ? await planObserved(request, observation, store)
      : checkSavedPlan(savedPlan, manifest, observation);
  return narrow(made, observation);
}

/** The hosts that a plan does something on. */
export function hostsWorkedOn({ pods, hostChanges }: Plan): ReadonlySet<string> {
  const changes = [...pods, ...hostChanges].filter(({ steps }) => steps.length > 0);
  const handed = changes.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === "hand-records" ? [step.from, step.to] : [])),
  );
  return new Set([...changes.map(({ host }) => host), ...handed]);
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
      summary: "its rollout was paused when the plan was made, and is not any more",
      detail: "make a new plan",
    }));
  const problems = [...moved, ...resumed];
  if (problems.length > 0) throw new DiagnosticsError("The saved plan", problems);
  return withPauses(saved, pauses);
}
