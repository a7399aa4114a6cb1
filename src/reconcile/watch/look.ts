import { DiagnosticsError } from "../../errors/index.ts";
import {
  type Plan,
  planRestarts,
  type RestartPlan,
  type UnhealthyContainer,
} from "../../plan/index.ts";
import type { HostReading } from "../connector.ts";
import { ImageStore } from "../images/image-store.ts";
import { type FleetObservation, observeFleet } from "../observe/observe-fleet.ts";
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

/** Looks at every host of a fleet; nothing is changed anywhere. */
export async function lookAtFleet(
  request: WatchRequest,
  declaration: Declaration,
  isFull: boolean,
  unhealthy: readonly UnhealthyContainer[],
): Promise<Look> {
  const { connector, options, drain } = request;
  const readings: HostReading[] = [];
  try {
    const observation = await observeFleet({
      ...request,
      ...declaration,
      signal: drain,
      reach: async (name, spec) => {
        const reading = await connector.read(name, spec, drain);
        readings.push(reading);
        return reading;
      },
    });
    const input = { ...declaration, hosts: observation.hosts, options };
    const restarts = planRestarts(input, unhealthy);
    const seen = { observation, restarts, unhealthy };
    return isFull ? { ...seen, ...(await planWhole(request, declaration, observation)) } : seen;
  } finally {
    await Promise.allSettled(readings.map((reading) => reading[Symbol.asyncDispose]()));
  }
}

async function planWhole(
  request: WatchRequest,
  declaration: Declaration,
  observation: FleetObservation,
): Promise<Pick<Look, "plan" | "refusal">> {
  const { manifest, manifestDir } = declaration;
  await using store = new ImageStore(manifest, manifestDir, { ...request, signal: request.drain });
  const secrets = new SecretValues({ ...request, manifest, manifestDir, signal: request.drain });
  try {
    const asked = { ...request, ...declaration, secrets };
    return { plan: await planObserved(asked, observation, store) };
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    return { refusal: error.message };
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
