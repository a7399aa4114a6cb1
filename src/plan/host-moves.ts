import { type PodSpec, writableVolumes } from "../model/index.ts";
import type { PodChange, Step } from "./plan.ts";
import { appliedSpec, mayRun, type PodContext, podsOf } from "./pod-context.ts";
import { reaches } from "./reaches.ts";

/** A pod that leaves one host and comes to another, as its two changes. */
export interface HostMove {
  readonly gone: PodChange;
  readonly comes: PodChange;
  /** The old one goes before the new one is made: both could have the same data open. */
  readonly oldFirst: boolean;
}

type Contexts = ReadonlyMap<string, PodContext>;

/**
 * Pods that are removed from one host and made on another. A name that goes and comes once is one; of a
 * service's pods, which are all alike, as many as there are pairs. Others are shown as what they are.
 */
export function hostMoves(changes: readonly PodChange[], contexts: Contexts): readonly HostMove[] {
  const goes = groupBy(changes.filter((change) => goesAway(change, contexts)));
  const comes = groupBy(changes.filter((change) => comesNew(change, contexts)));
  return [...goes].flatMap(([pod, gone]) => {
    const come = comes.get(pod) ?? [];
    const isOne = gone.length === 1 && come.length === 1;
    const services = new Set([...gone, ...come].map(({ id }) => serviceOf(contexts.get(id))));
    if (!isOne && (services.size > 1 || services.has(undefined))) return [];
    return gone.slice(0, come.length).map((each, at): HostMove => {
      const other = come[at] as PodChange;
      return { gone: each, comes: other, oldFirst: goesFirst(contexts, each, other) };
    });
  });
}

/**
 * Has the old one of each wait until the new one is proven, or the other way round. Where others wait for it in
 * a circle, as pods that trade hosts and ports do, it waits for nobody.
 */
export function orderMoves(
  moves: readonly HostMove[],
  after: ReadonlyMap<string, Set<string>>,
): void {
  for (const { gone, comes, oldFirst } of moves) {
    const [first, then] = oldFirst ? [gone.id, comes.id] : [comes.id, gone.id];
    if (!reaches(after, first, then)) after.get(then)?.add(first);
  }
}

/** The moves by each of their changes. */
export function byChange(moves: readonly HostMove[]): ReadonlyMap<PodChange, HostMove> {
  return new Map(moves.flatMap((move) => [move.gone, move.comes].map((each) => [each, move])));
}

/** A change with what there is to know of the move that it is a part of. */
export function withMove(
  change: PodChange,
  moves: ReadonlyMap<PodChange, HostMove>,
  contexts: Contexts,
  after: ReadonlyMap<string, ReadonlySet<string>>,
): PodChange {
  const move = moves.get(change);
  if (move === undefined) return change;
  const { gone, comes } = move;
  const waits = after.get(gone.id)?.has(comes.id) === true;
  const hand: Step = { kind: "hand-records", from: gone.host, to: comes.host };
  if (change === comes) {
    const data = dataNotes(contexts.get(gone.id), contexts.get(comes.id));
    const steps = waits ? beforeCommit(change.steps, hand) : change.steps;
    return { ...change, steps, movesFrom: gone.host, notes: [...change.notes, ...data] };
  }
  const text = `it is declared on ${comes.host} now`;
  return {
    ...change,
    // one that waits finds them handed over when the new one was proven
    steps: waits ? change.steps : [hand, ...change.steps],
    reasons: change.reasons.map((reason) => ({ ...reason, text })),
    movesTo: comes.host,
    notes: waits ? [] : [goesEarly(move, after)],
  };
}

/** Records are handed over before the new pod has one of its own: a kill before that leaves a move to be made. */
function beforeCommit(steps: readonly Step[], hand: Step): readonly Step[] {
  const at = steps.findIndex(({ kind }) => kind === "commit");
  return at < 0 ? steps : [...steps.slice(0, at), hand, ...steps.slice(at)];
}

function goesEarly(
  { gone, comes, oldFirst }: HostMove,
  after: ReadonlyMap<string, ReadonlySet<string>>,
): string {
  if (!oldFirst) return `it goes before ${comes.id} is proven, as that waits for it in a circle`;
  if (after.get(comes.id)?.has(gone.id) !== true)
    return `nothing orders it and ${comes.id}, as they would wait for each other in a circle`;
  return `it goes before ${comes.id} is made, as both could write to the same data or replacement says stop-first; should that fail, the pod runs nowhere`;
}

function goesAway({ id, action }: PodChange, contexts: Contexts): boolean {
  const context = contexts.get(id);
  return action === "remove" && context !== undefined && podsOf(context).some(mayRun);
}

/** Whether nothing of it was ever proven there; a lost record says nothing about that. */
function comesNew({ id, fresh, to }: PodChange, contexts: Contexts): boolean {
  const context = contexts.get(id);
  if (context?.desired === undefined || to === undefined) return false;
  if (context.record?.current !== undefined || context.recordLost !== undefined) return false;
  return fresh !== undefined || context.record !== undefined;
}

/** A named volume is a directory of each host by itself; what a path leads to may be shared by both. */
function goesFirst(contexts: Contexts, gone: PodChange, comes: PodChange): boolean {
  const [before, after] = [
    appliedSpec(contexts.get(gone.id)),
    contexts.get(comes.id)?.desired?.spec,
  ];
  if (after?.replacement !== undefined) return after.replacement === "stop-first";
  return [before, after].some(
    (spec) =>
      spec !== undefined &&
      writableVolumes(spec).some((name) => spec.volumes?.[name]?.kind === "bind"),
  );
}

function dataNotes(gone: PodContext | undefined, comes: PodContext | undefined): readonly string[] {
  const spec = appliedSpec(gone);
  if (gone === undefined || comes === undefined || spec === undefined) return [];
  const wanted = namedVolumes(comes.desired?.spec);
  return [...namedVolumes(spec)].map((name) => {
    const stays = `the data of volume ${name} stays on ${gone.host} and is not copied`;
    if (!wanted.has(name)) return stays;
    const found = comes.observation.volumes.has(name);
    return `${stays}; ${found ? `the pod gets what ${comes.host} has under that name` : `it begins empty on ${comes.host}`}`;
  });
}

function namedVolumes(spec: PodSpec | undefined): ReadonlySet<string> {
  const volumes = Object.values(spec?.volumes ?? {});
  return new Set(volumes.flatMap((volume) => (volume.kind === "named" ? [volume.name] : [])));
}

function serviceOf(context: PodContext | undefined): string | undefined {
  return (context?.desired?.spec ?? appliedSpec(context))?.service;
}

function groupBy(changes: readonly PodChange[]): ReadonlyMap<string, readonly PodChange[]> {
  const found = new Map<string, PodChange[]>();
  for (const change of changes) {
    const known = found.get(change.pod);
    if (known === undefined) found.set(change.pod, [change]);
    else known.push(change);
  }
  return found;
}
