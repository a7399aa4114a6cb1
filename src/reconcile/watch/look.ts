import { DiagnosticsError } from "../../errors/index.ts";
import {
  type Plan,
  planRestarts,
  type RestartPlan,
  type UnhealthyContainer,
} from "../../plan/index.ts";
import { ImageStore } from "../images/image-store.ts";
import { registryWaits } from "../images/registry-waits.ts";
import type { FleetObservation } from "../observe/observe-fleet.ts";
import { readFleet } from "../observe/read-fleet.ts";
import { planObserved } from "../plan-fleet.ts";
import { SecretValues } from "../secrets/secret-values.ts";
import type { Declaration, WatchRequest } from "./watch-request.ts";

/** What was seen of a fleet, and what follows from it. */
export interface Look {
  readonly observation: FleetObservation;
  readonly restarts: RestartPlan;
  /** What probes had found by then. */
  readonly unhealthy: readonly UnhealthyContainer[];
  /** Of a whole look. */
  readonly plan?: Plan;
  /** Why there is no plan: what is declared cannot be. */
  readonly refusal?: string;
}

/** Looks at every host of a fleet for what ended; nothing is changed anywhere. */
export async function lookAtFleet(
  request: WatchRequest,
  declaration: Declaration,
  unhealthy: readonly UnhealthyContainer[],
): Promise<Look> {
  const { options, drain } = request;
  const observation = await readFleet({ ...request, ...declaration, signal: drain });
  const input = { ...declaration, hosts: observation.hosts, options };
  return { observation, restarts: planRestarts(input, unhealthy), unhealthy };
}

/** A look with all that is to be done about it. Registries are asked, which may be long in answering. */
export async function planWhole(
  request: WatchRequest,
  declaration: Declaration,
  look: Look,
  signal: AbortSignal,
): Promise<Look> {
  const { manifest, manifestDir } = declaration;
  const waits = registryWaits(request.onEvent);
  await using store = new ImageStore(manifest, manifestDir, { ...request, ...waits, signal });
  const secrets = new SecretValues({ ...request, manifest, manifestDir, signal });
  try {
    const asked = { ...request, ...declaration, secrets };
    return { ...look, plan: await planObserved(asked, look.observation, store) };
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    return { ...look, refusal: error.message };
  }
}

/** Paths of the containers that ended, by their pod. */
export function endedPaths({ restarts, left }: RestartPlan): ReadonlyMap<string, Set<string>> {
  const paths = new Map<string, Set<string>>();
  const add = (id: string, path: string): void => {
    const known = paths.get(id);
    if (known === undefined) paths.set(id, new Set([path]));
    else known.add(path);
  };
  for (const { change } of restarts) for (const { path } of change.reasons) add(change.id, path);
  for (const { id, container } of left) add(id, `containers.${container}`);
  return paths;
}
