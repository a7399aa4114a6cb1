import {
  type FleetManifest,
  fleetKeys,
  type HostSpec,
  type RecordReading,
  type RolloutMark,
  type RolloutMarkReading,
} from "../model/index.ts";
import type { Plan, PodChange, RolloutPause, RolloutPlan } from "./plan.ts";
import type { HostObservation, HostUnreachable, PlanInput } from "./plan-input.ts";
import type { PodContext } from "./pod-context.ts";
import { waitsWhilePaused } from "./rollouts.ts";

/** A mark of a service's rollout, and the host that has it. */
export interface FoundMark {
  readonly host: string;
  readonly reading: RolloutMarkReading;
}

/** The mark that counts: that with the highest revision; of two the one that pauses. */
export function newestMark(
  found: readonly FoundMark[],
): { readonly host: string; readonly mark: RolloutMark } | undefined {
  const read = found.flatMap(({ host, reading }) =>
    reading.kind === "mark" ? [{ host, mark: reading.mark }] : [],
  );
  const [newest] = read.sort(
    (a, b) => b.mark.revision - a.mark.revision || Number(b.mark.paused) - Number(a.mark.paused),
  );
  return newest;
}

/** Whether marks of one service pause its rollout; one that cannot be understood does. */
export function pauseOf(found: readonly FoundMark[]): RolloutPause | undefined {
  const newest = newestMark(found);
  if (newest?.mark.paused === true) {
    const { host, mark } = newest;
    return { host, by: mark.by, at: mark.at };
  }
  for (const { host, reading } of found) {
    if (reading.kind === "newer") {
      const problem = `a newer Stowage wrote it (version ${reading.version})`;
      return { host, problem };
    }
    if (reading.kind === "unreadable") return { host, problem: reading.reason };
  }
  return undefined;
}

/** The services of a fleet whose rollouts are paused, by what the hosts that hold pods of them say. */
export function pausesOf(
  manifest: FleetManifest,
  hosts: ReadonlyMap<string, HostObservation | HostUnreachable>,
): ReadonlyMap<string, RolloutPause> {
  return new Map(
    [...marksOf(manifest, hosts)].flatMap(([service, marks]) => {
      const pause = pauseOf(marks);
      return pause === undefined ? [] : [[service, pause] as const];
    }),
  );
}

/** What the hosts of a fleet say of the rollouts of their services, by service. */
export function marksOf(
  manifest: FleetManifest,
  hosts: ReadonlyMap<string, HostObservation | HostUnreachable>,
): ReadonlyMap<string, readonly FoundMark[]> {
  const found = new Map<string, FoundMark[]>();
  for (const [host, seen] of hosts) {
    if (seen.kind !== "observed" || seen.marks === undefined) continue;
    for (const service of servicesOn(manifest, host)) {
      const { pods } = manifest.hosts[host] ?? {};
      const marks = marksOn(host, service, { ...seen, pods }, manifest);
      if (marks.length > 0) found.set(service, [...(found.get(service) ?? []), ...marks]);
    }
  }
  return found;
}

/** What tells what a host says of rollouts. */
interface Seen extends Pick<HostObservation, "marks" | "records"> {
  /** The pods that it is to hold. */
  readonly pods: HostSpec["pods"];
}

/**
 * What one host says of a service's rollout, under the fleet's name and its former one; of the service's former name
 * as well while pods of it are what was applied under that.
 */
export function marksOn(
  host: string,
  service: string,
  seen: Seen,
  identity: Pick<FleetManifest, "id" | "name" | "formerly">,
): readonly FoundMark[] {
  return serviceNames(service, seen, identity).flatMap((name) =>
    fleetKeys(identity).flatMap((fleet) => {
      const reading = seen.marks?.get(`${fleet}/${name}`);
      return reading === undefined ? [] : [{ host, reading }];
    }),
  );
}

/** A service's name, and those that its pods on a host were applied under. */
export function serviceNames(
  service: string,
  { records, pods }: Omit<Seen, "marks">,
  identity: Pick<FleetManifest, "id" | "name" | "formerly">,
): readonly string[] {
  const own = Object.entries(pods ?? {}).filter(([, spec]) => spec.service === service);
  const before = own.flatMap(([pod]) =>
    fleetKeys(identity).flatMap((fleet) => appliedService(records.get(`${fleet}/${pod}`)) ?? []),
  );
  return [...new Set([service, ...before])];
}

/** The service that a pod was applied as one of. */
export function appliedService(reading: RecordReading | undefined): string | undefined {
  if (reading?.kind !== "record") return undefined;
  const { generations, current } = reading.record;
  return generations.find(({ generation }) => generation === current)?.spec.service;
}

/** Pods that go as nobody declares their service any more, though its rollout is paused: its other name is a new one. */
export function leavesPaused(
  { manifest, hosts }: PlanInput,
  contexts: ReadonlyMap<string, PodContext>,
): readonly string[] {
  const declared = new Set(
    Object.keys(manifest.hosts).flatMap((host) => [...servicesOn(manifest, host)]),
  );
  const leaving = new Map<string, { ids: string[]; marks: FoundMark[] }>();
  for (const [id, { host, record, desired }] of contexts) {
    if (desired !== undefined || record === undefined) continue;
    const service = appliedService({ kind: "record", record });
    const seen = hosts.get(host);
    if (service === undefined || declared.has(service) || seen?.kind !== "observed") continue;
    const entry = leaving.get(service) ?? { ids: [], marks: [] };
    leaving.set(service, entry);
    entry.ids.push(id);
    entry.marks.push(...marksOn(host, service, { ...seen, pods: undefined }, manifest));
  }
  return [...leaving].flatMap(([service, { ids, marks }]) => {
    const pause = pauseOf(marks);
    if (pause === undefined) return [];
    return [
      `the rollout of ${service} is ${pauseWords(pause)}, and the service is not declared any more: ${ids.join(", ")} would be removed, and what is declared in its place would be applied at once; declare it as ${service} until it is resumed`,
    ];
  });
}

function servicesOn({ hosts }: FleetManifest, host: string): ReadonlySet<string> {
  const specs = Object.values(hosts[host]?.pods ?? {});
  return new Set(specs.flatMap(({ service }) => service ?? []));
}

/** A plan that was made before, with the current pauses: it does no more than it said. */
export function withPauses(plan: Plan, pauses: ReadonlyMap<string, RolloutPause>): Plan {
  if (plan.rollouts === undefined || pauses.size === 0) return plan;
  const changes = new Map(plan.pods.map((change) => [change.id, change]));
  const rollouts = plan.rollouts.map((rollout): RolloutPlan => {
    const pause = pauses.get(rollout.service);
    if (pause === undefined || rollout.paused !== undefined) return rollout;
    const waits = rollout.waves
      .flatMap((wave) => wave.changes)
      .filter((id) => {
        const change = changes.get(id);
        return change !== undefined && waitsWhilePaused(change);
      });
    return { ...rollout, paused: { ...pause, waits } };
  });
  return { ...plan, rollouts };
}

/** Says of a pause who made it, or why it is taken for one: `paused since … by …`. */
export function pauseWords({ host, by, at, problem }: RolloutPause): string {
  if (problem !== undefined)
    return `treated as paused, because its mark on host ${host} cannot be read: ${problem}`;
  return `paused since ${at?.replace(/\.\d+Z$/, "Z")} by ${by}`;
}

/** Ids of all changes of a plan that wait for a rollout to be resumed: its own, and what would come after them. */
export function waitingChanges({
  pods,
  hostChanges,
  rollouts = [],
}: Pick<Plan, "pods" | "hostChanges" | "rollouts">): ReadonlySet<string> {
  const held = new Set(rollouts.flatMap(({ paused }) => paused?.waits ?? []));
  const waiting = new Set(pods.map(({ id }) => id).filter((id) => held.has(id)));
  if (waiting.size === 0) return waiting;
  const all = [...pods, ...hostChanges];
  const images = imagesOf(hostChanges, pods);
  for (let before = -1; before !== waiting.size; ) {
    before = waiting.size;
    for (const change of all) if (comesAfter(change, waiting)) waiting.add(change.id);
    // an image that nobody needs before
    for (const [id, users] of images)
      if (users.length > 0 && users.every((user) => waiting.has(user))) waiting.add(id);
  }
  return waiting;
}

/** Changes that bring images, and ids of the pods that need each. */
function imagesOf(
  hostChanges: Plan["hostChanges"],
  pods: Plan["pods"],
): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>(
    hostChanges.flatMap(({ id, action }) =>
      action === "import" || action === "claim" ? [[id, []]] : [],
    ),
  );
  for (const { id, after } of pods) for (const each of after) users.get(each)?.push(id);
  return users;
}

function comesAfter(
  change: Pick<PodChange, "after" | "afterWave">,
  waiting: ReadonlySet<string>,
): boolean {
  return change.after.some((id) => waiting.has(id) && change.afterWave?.includes(id) !== true);
}
