import type { Diagnostic } from "../errors/index.ts";
import { podDependency, portKey } from "../model/index.ts";
import { byChange, hostMoves, orderMoves, withMove } from "./host-moves.ts";
import { orderRemovals } from "./leaving-dependencies.ts";
import { withLostRecords } from "./lost-records.ts";
import type { PodChange, RolloutPause, RolloutPlan } from "./plan.ts";
import { startedOnly, withConditions } from "./pod-conditions.ts";
import type { PodContext } from "./pod-context.ts";
import { PortHolders } from "./ports.ts";
import { planRollouts, waveBefore, withHealthTime } from "./rollouts.ts";
import { addVolumeHandovers } from "./volume-handovers.ts";

/**
 * What a pod's change has to wait for: dependencies, those that depend on one that goes, ports and volumes that another
 * one gives up, its service's rollout, its other half on another host.
 */
export function orderChanges(
  planned: readonly PodChange[],
  contexts: ReadonlyMap<string, PodContext>,
  pauses: ReadonlyMap<string, RolloutPause> = new Map(),
): {
  readonly changes: readonly PodChange[];
  readonly rollouts: readonly RolloutPlan[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const changes = withHealthTime(withConditions(planned, contexts), contexts);
  const rollouts = planRollouts(changes, contexts, pauses);
  const waves = waveBefore(rollouts);
  const ids = new Set(changes.map(({ id }) => id));
  const after = new Map<string, Set<string>>(changes.map(({ id }) => [id, new Set()]));
  const add = (id: string, before: string): void => {
    if (id !== before && ids.has(before)) after.get(id)?.add(before);
  };
  const ports = addPortHandovers(changes, contexts, add);
  addVolumeHandovers(changes, contexts, add);
  const whole = new Map([...after].map(([id, before]) => [id, new Set(before)]));
  addDependencies(changes, contexts, add);
  const hard = new Map([...after].map(([id, before]) => [id, new Set(before)]));
  for (const [id, before] of waves) for (const each of before) add(id, each);
  const moves = hostMoves(changes, contexts);
  orderMoves(moves, after);
  orderRemovals(changes, contexts, after);
  const moved = byChange(moves);
  const told = changes.map((change): PodChange => {
    const before = [...(after.get(change.id) ?? [])].sort();
    const begun = startedOnly(change.id, before, contexts);
    const afterStart = begun.filter((id) => whole.get(change.id)?.has(id) !== true);
    const afterWave = (waves.get(change.id) ?? []).filter(
      (id) => hard.get(change.id)?.has(id) !== true,
    );
    return {
      ...withMove(change, moved, contexts, after),
      after: before,
      ...(afterStart.length === 0 ? {} : { afterStart }),
      ...(afterWave.length === 0 ? {} : { afterWave }),
    };
  });
  const ordered = withLostRecords(told, contexts);
  const cycle = findCycle(after);
  if (cycle === undefined) return { changes: ordered, rollouts, diagnostics: [] };
  return {
    changes: ordered,
    rollouts,
    diagnostics: [
      {
        severity: "error",
        path: cycle[0] as string,
        summary: `these changes wait for each other: ${[...cycle, cycle[0]].join(" → ")}`,
        detail: wayOutOf(cycle, ports),
      },
    ],
  };
}

type Add = (id: string, before: string) => void;

function addDependencies(
  changes: readonly PodChange[],
  contexts: ReadonlyMap<string, PodContext>,
  add: Add,
): void {
  for (const { id, host } of changes) {
    for (const dependency of contexts.get(id)?.desired?.spec.dependsOn ?? []) {
      add(id, podDependency(dependency, host).id);
    }
  }
}

/** Where a port comes into it, one apply that leaves that out lets its holder give it up. */
function wayOutOf(cycle: readonly string[], ports: ReadonlyMap<string, string>): string {
  for (const [at, id] of cycle.entries()) {
    const holder = cycle[(at + 1) % cycle.length] as string;
    const port = ports.get(`${id} ${holder}`);
    if (port === undefined) continue;
    return `${id} gets port ${port}, which ${holder} holds until it has changed: declare ${holder} without that port and without those that others hold (or with free ones), apply, and then apply this`;
  }
  return "they depend on each other; apply one of them first";
}

/**
 * A pod that takes over a port starts after the one that gives it up has changed.
 *
 * @returns the port, by who takes and who gives it
 */
function addPortHandovers(
  changes: readonly PodChange[],
  contexts: ReadonlyMap<string, PodContext>,
  add: Add,
): ReadonlyMap<string, string> {
  const taken = new Map<string, string>();
  const byHost = groupByHost(contexts);
  for (const { id, host } of changes) {
    const holders = byHost.get(host);
    for (const port of contexts.get(id)?.desired?.spec.ports ?? []) {
      for (const holder of holders?.of(port) ?? []) {
        const held = `${holder.host}/${holder.pod}`;
        add(id, held);
        taken.set(`${id} ${held}`, portKey(port));
      }
    }
  }
  return taken;
}

function groupByHost(contexts: ReadonlyMap<string, PodContext>): ReadonlyMap<string, PortHolders> {
  const lists = new Map<string, PodContext[]>();
  for (const context of contexts.values()) {
    const list = lists.get(context.host);
    if (list === undefined) lists.set(context.host, [context]);
    else list.push(context);
  }
  return new Map([...lists].map(([host, list]) => [host, new PortHolders(list)]));
}

/** A chain of changes that leads back to its beginning, if there is one. */
export function findCycle(
  after: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] | undefined {
  const done = new Set<string>();
  for (const start of after.keys()) {
    const chain: string[] = [];
    const pending: { readonly id: string; readonly rest: Iterator<string> }[] = [];
    const enter = (id: string): void => {
      chain.push(id);
      pending.push({ id, rest: (after.get(id) ?? new Set<string>()).values() });
    };
    if (!done.has(start)) enter(start);
    while (pending.length > 0) {
      const top = pending[pending.length - 1] as {
        readonly id: string;
        readonly rest: Iterator<string>;
      };
      const next = top.rest.next();
      if (next.done === true) {
        done.add(top.id);
        pending.pop();
        chain.pop();
      } else if (chain.includes(next.value)) {
        return chain.slice(chain.indexOf(next.value));
      } else if (!done.has(next.value)) {
        enter(next.value);
      }
    }
  }
  return undefined;
}
