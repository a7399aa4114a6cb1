import { type Condition, podDependency } from "../model/index.ts";
import { frame } from "./change-frame.ts";
import type { PodChange, Step } from "./plan.ts";
import { currentGeneration, mayRun, type PodContext, recorded } from "./pod-context.ts";

type Contexts = ReadonlyMap<string, PodContext>;

/**
 * Changes with what their dependants ask of them: one that is to be completed is waited for until it has
 * ended, and has a change of its own for that where nothing else is to be done to it.
 */
export function withConditions(
  changes: readonly PodChange[],
  contexts: Contexts,
): readonly PodChange[] {
  const wanted = new Map<string, string>();
  for (const { id } of changes) {
    for (const [other, condition] of conditionsOf(id, contexts)) {
      if (condition === "completed") wanted.set(other, wanted.get(other) ?? id);
    }
  }
  if (wanted.size === 0) return changes;
  const ids = new Set(changes.map(({ id }) => id));
  const waits = [...wanted].flatMap(([id, by]) =>
    ids.has(id) ? [] : waitFor(contexts.get(id), by),
  );
  const known = changes.map((change) =>
    wanted.has(change.id) ? { ...change, steps: change.steps.flatMap(withCompletion) } : change,
  );
  return [...known, ...waits];
}

/** Of those that a change comes after: the ones whose processes only need to have been started. */
export function startedOnly(
  id: string,
  after: readonly string[],
  contexts: Contexts,
): readonly string[] {
  const conditions = conditionsOf(id, contexts);
  return after.filter((other) => conditions.get(other) === "started");
}

/** What a pod waits for, by id. */
function conditionsOf(id: string, contexts: Contexts): ReadonlyMap<string, Condition> {
  const context = contexts.get(id);
  const references = context?.desired?.spec.dependsOn ?? [];
  return new Map(
    references.map((each) => {
      const { id: other, condition } = podDependency(each, context?.host ?? "");
      return [other, condition];
    }),
  );
}

function waitFor(context: PodContext | undefined, by: string): readonly PodChange[] {
  const current = context === undefined ? undefined : currentGeneration(context);
  if (context === undefined || current === undefined || !mayRun(current)) return [];
  const { generation } = current;
  const to = recorded(context, generation);
  const text = `it has not ended yet, and ${by} waits for that`;
  const steps: Step[] = [{ kind: "wait-completed", generation }];
  return [
    {
      ...frame(context, "start", [{ kind: "state", path: "", verdict: "none", text }], steps),
      interrupts: false,
      ...(to === undefined ? {} : { to }),
      notes: [],
    },
  ];
}

/** One that ends is proven by its end. */
export function withCompletion(step: Step): readonly Step[] {
  if (step.kind !== "wait-healthy") return [step];
  const { generation, engine } = step;
  const at = engine === undefined ? {} : { engine };
  return [step, { kind: "wait-completed", generation, ...at }];
}
