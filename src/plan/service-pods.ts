import type { AppliedImage, FleetManifest, PodRecord } from "../model/index.ts";
import { podsOnHost } from "./observed-pods.ts";
import type { Plan, PodChange } from "./plan.ts";
import type { HostObservation, HostUnreachable } from "./plan-input.ts";
import { mayRun } from "./pod-context.ts";
import { advances } from "./rollouts.ts";

/**
 * How far a pod of a service is. declared: it is what is declared. old: what was applied before runs.
 * half-done: another generation than the proven one is there as well. drifted: it was changed behind
 * Stowage's back. down: nothing of it runs. absent: it was never applied. unreachable: nobody knows.
 */
export type ServicePodState =
  | "declared"
  | "old"
  | "half-done"
  | "drifted"
  | "down"
  | "absent"
  | "unreachable";

/** One pod of a service, as it is. */
export interface ServicePod {
  readonly id: string;
  readonly host: string;
  readonly pod: string;
  readonly service: string;
  readonly state: ServicePodState;
  /** Whether the next apply would make it something else than what was applied last. */
  readonly behind: boolean;
  /** What was applied last and proven. */
  readonly applied?: {
    readonly generation: number;
    readonly images: Readonly<Record<string, AppliedImage>>;
    readonly at: string;
    readonly by: string;
  };
  /** Why it could not be observed. */
  readonly reason?: string;
}

/** The pods of all services on the hosts that were observed. */
export function servicePods(
  manifest: FleetManifest,
  { pods }: Pick<Plan, "pods">,
  hosts: ReadonlyMap<string, HostObservation | HostUnreachable>,
): readonly ServicePod[] {
  const changes = new Map(pods.map((change) => [change.id, change]));
  return [...hosts].flatMap(([host, found]) =>
    Object.entries(manifest.hosts[host]?.pods ?? {}).flatMap(
      ([pod, { service }]): readonly ServicePod[] => {
        if (service === undefined) return [];
        const id = `${host}/${pod}`;
        const named = { id, host, pod, service };
        if (found.kind === "unreachable")
          return [{ ...named, state: found.kind, behind: false, reason: found.reason }];
        const record = recordOf(manifest, pod, found);
        const change = changes.get(id);
        const applied = appliedOf(record);
        return [
          {
            ...named,
            state: stateOf(manifest, pod, found, record, change),
            behind: change !== undefined && isBehind(change),
            ...(applied === undefined ? {} : { applied }),
          },
        ];
      },
    ),
  );
}

/** Under the fleet's name, else under the one that it had until now. */
function recordOf(
  { id, name, formerly }: FleetManifest,
  pod: string,
  { records }: HostObservation,
): PodRecord | undefined {
  const reading =
    records.get(`${id}/${name}/${pod}`) ?? records.get(`${id}/${formerly ?? name}/${pod}`);
  return reading?.kind === "record" ? reading.record : undefined;
}

function stateOf(
  { id, name, formerly }: FleetManifest,
  pod: string,
  found: HostObservation,
  record: PodRecord | undefined,
  change: PodChange | undefined,
): ServicePodState {
  if (change === undefined || !advances(change)) return "declared";
  const own = podsOnHost(found)
    .map((each) => each.pod)
    .filter(
      (each) => each.pod === pod && each.owner === id && [name, formerly].includes(each.fleet),
    );
  if (!own.some(mayRun)) return own.length === 0 && record === undefined ? "absent" : "down";
  if (own.some(({ generation }) => generation > (record?.current ?? 0))) return "half-done";
  return isBehind(change) ? "old" : "drifted";
}

function isBehind(change: PodChange): boolean {
  return advances(change) && change.reasons.some(({ kind }) => kind === "declared");
}

function appliedOf(record: PodRecord | undefined): ServicePod["applied"] {
  const current = record?.generations.find(({ generation }) => generation === record.current);
  if (record === undefined || current === undefined) return undefined;
  const { generation, images } = current;
  return {
    generation,
    images,
    at: current.appliedAt ?? record.appliedAt,
    by: current.appliedBy ?? record.appliedBy,
  };
}
