import { writableVolumes } from "../model/index.ts";
import type { PodChange, Reason } from "./plan.ts";
import { type PodContext, podsOf, recorded } from "./pod-context.ts";

/** A pod that is on one host and is declared on another one now. */
export interface HostMove {
  /** Ids of the removal there and of the creation here. */
  readonly from: string;
  readonly to: string;
  /** Whether the old one has to be gone before the new one starts; else it stays until the new one is proven. */
  readonly oldFirst: boolean;
}

type Contexts = ReadonlyMap<string, PodContext>;

/** Pods that move between hosts: of one name, where one is to go and one is new. */
export function hostMoves(changes: readonly PodChange[], contexts: Contexts): readonly HostMove[] {
  const gone = onlyOnes(changes.filter((change) => isGoing(change, contexts)));
  const fresh = onlyOnes(changes.filter((change) => isUnproven(change, contexts)));
  return [...gone].flatMap(([pod, from]): HostMove[] => {
    const to = fresh.get(pod);
    if (to === undefined) return [];
    return [{ from: from.id, to: to.id, oldFirst: oldFirst(from.id, to.id, contexts) }];
  });
}

/** The changes, with words that say where pods go and come from, and what stays behind. */
export function withHostMoves(
  changes: readonly PodChange[],
  moves: readonly HostMove[],
  contexts: Contexts,
): readonly PodChange[] {
  if (moves.length === 0) return changes;
  const byId = new Map(moves.flatMap((move) => [move.from, move.to].map((id) => [id, move])));
  return changes.map((change) => {
    const move = byId.get(change.id);
    if (move === undefined) return change;
    const [before, after] = [hostOf(move.from), hostOf(move.to)];
    const isOld = change.id === move.from;
    const text = isOld ? `it moves to ${after}` : `it moves here from ${before}`;
    const host: Reason = { kind: "declared", path: "host", before, after, verdict: "none" };
    // that it is new, or not declared, is what this says better
    const [first, ...rest] = change.reasons;
    const isSaid = change.action === "remove" || change.action === "create";
    return {
      ...change,
      reasons: isSaid
        ? [{ ...(first as Reason), text }, host, ...rest]
        : [...change.reasons, { ...host, text }],
      notes: isOld ? change.notes : [...change.notes, ...leftBehind(move, contexts)],
    };
  });
}

/** Whether a removal is that of a pod that moves, and waits until it is proven elsewhere. */
export function goesWhenProven({ pod, reasons, after }: PodChange): boolean {
  const host = reasons.find(({ path }) => path === "host");
  return host !== undefined && after.includes(`${String(host.after)}/${pod}`);
}

function isGoing({ id, action }: PodChange, contexts: Contexts): boolean {
  const context = contexts.get(id);
  return action === "remove" && context !== undefined && podsOf(context).length > 0;
}

/** Nothing of it was ever proven on its host: it is new, or its first apply there was cut short. */
function isUnproven({ id, to }: PodChange, contexts: Contexts): boolean {
  return to !== undefined && contexts.get(id)?.record?.current === undefined;
}

/** By their pods' names; where there are two of one name nobody knows which goes where. */
function onlyOnes(changes: readonly PodChange[]): ReadonlyMap<string, PodChange> {
  const found = new Map<string, PodChange>();
  const twice = new Set<string>();
  for (const change of changes) {
    if (found.has(change.pod)) twice.add(change.pod);
    found.set(change.pod, change);
  }
  return new Map([...found].filter(([pod]) => !twice.has(pod)));
}

/** What a pod holds is its host's own, but for what lies in a bind volume, which hosts may share. */
function oldFirst(from: string, to: string, contexts: Contexts): boolean {
  const [old, next] = [contexts.get(from), contexts.get(to)];
  const spec = next?.desired?.spec;
  if (spec === undefined) return false;
  const before = old === undefined ? undefined : recorded(old, old.record?.current)?.spec;
  if (spec.replacement === "stop-first") return true;
  if (spec.replacement === "start-first") return false;
  return [spec, ...(before === undefined ? [] : [before])].some((each) =>
    writableVolumes(each).some((name) => each.volumes?.[name]?.kind === "bind"),
  );
}

function leftBehind({ from, to }: HostMove, contexts: Contexts): readonly string[] {
  const [old, next] = [contexts.get(from), contexts.get(to)];
  const before = old === undefined ? undefined : recorded(old, old.record?.current)?.spec;
  const names = (volumes: NonNullable<typeof before>["volumes"]): readonly string[] =>
    Object.values(volumes ?? {}).flatMap((volume) =>
      volume.kind === "named" ? [volume.name] : [],
    );
  const kept = new Set(names(before?.volumes));
  return [...new Set(names(next?.desired?.spec.volumes))]
    .filter((name) => kept.has(name))
    .map(
      (name) =>
        `what is in volume ${name} on ${hostOf(from)} stays there, and does not come along to ${hostOf(to)}`,
    );
}

function hostOf(id: string): string {
  return id.slice(0, id.indexOf("/"));
}
