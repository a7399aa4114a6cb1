import {
  type Condition,
  type ObservedContainer,
  type ObservedPod,
  podDependency,
  type RestartPolicy,
  restartSupport,
} from "../model/index.ts";
import { type AppliedPod, appliedPods } from "./applied-pods.ts";
import { seenEngines } from "./observed-pods.ts";
import type { PodChange, Reason, Step } from "./plan.ts";
import type { PlanInput } from "./plan-input.ts";
import { withCompletion } from "./pod-conditions.ts";
import { isCompleted, runAgain, stateWords } from "./state-reasons.ts";
import { type UnhealthyContainer, unhealthyReasons } from "./unhealthy.ts";

/** A pod with ended containers that its restart policy restarts, or one that has to be stopped for a new start. */
export interface Restart {
  readonly change: PodChange;
  /** Its engine starts it again by itself, and is to be given the time for it. */
  readonly byEngine: boolean;
}

/** A container that ended and is not started again. */
export interface LeftPod {
  /** `host/pod`. */
  readonly id: string;
  readonly container: string;
  /** Why not, for people. */
  readonly reason: string;
}

/** What of a fleet ended by itself, and what becomes of it. */
export interface RestartPlan {
  readonly restarts: readonly Restart[];
  readonly left: readonly LeftPod[];
}

/**
 * What restart policies want to be started again, and what is to be ended for a new start as it is unhealthy:
 * of declared pods, as they were last applied. Pure, as
 * a plan is, and made of less: neither images nor what is declared now are read, so that a
 * declaration that is broken keeps nothing down.
 */
export function planRestarts(
  input: Pick<PlanInput, "manifest" | "hosts" | "options">,
  unhealthy: readonly UnhealthyContainer[] = [],
): RestartPlan {
  const restarts: Restart[] = [];
  const left: LeftPod[] = [];
  for (const [host, observation] of input.hosts) {
    if (observation.kind === "unreachable") continue;
    for (const found of appliedPods(input, host, observation)) {
      const ended = endedContainers(found);
      left.push(...ended.left);
      const reasons = unhealthyReasons(found, unhealthy);
      if (ended.due.length > 0) restarts.push(restartOf(found, ended.due));
      else if (reasons.length > 0) restarts.push(newStart(found, reasons));
    }
  }
  return { restarts: withOrder(restarts), left };
}

interface Ended {
  readonly due: readonly string[];
  readonly left: readonly LeftPod[];
}

function endedContainers({ host, pod, applied }: AppliedPod): Ended {
  const due: string[] = [];
  const left: LeftPod[] = [];
  for (const name of Object.keys(applied.spec.containers)) {
    const container = pod.containers[name];
    if (container?.state !== "exited" || isCompleted(applied.spec, pod, name)) continue;
    const reason = whyLeft(applied.spec.restart, container);
    if (reason === undefined) due.push(name);
    else left.push({ id: `${host}/${pod.pod}`, container: name, reason });
  }
  const again = runAgain(applied.spec, pod);
  const given = left.find(({ container }) => again.includes(container));
  if (given !== undefined && due.length > 0) {
    const reason = `${given.container}, which runs before it, ended, and ${given.reason}`;
    const others = due.map((container) => ({ id: given.id, container, reason }));
    return { due: [], left: [...left, ...others] };
  }
  const ended = due.length === 0 ? [] : again.filter((name) => !due.includes(name));
  return { due: [...ended, ...due], left };
}

/** Why a container that ended stays so; undefined when its policy wants it to run. */
function whyLeft(
  restart: RestartPolicy | undefined,
  { restarts = 0 }: ObservedContainer,
): string | undefined {
  const { policy, maxRetries } = restart ?? { policy: "no" };
  if (policy === "no") return "its restart policy is no";
  if (policy !== "on-failure" || maxRetries === undefined || restarts < maxRetries)
    return undefined;
  return `it was started again ${maxRetries === 1 ? "once" : `${maxRetries} times`}, as often as its restart policy allows`;
}

function restartOf(found: AppliedPod, containers: readonly string[]): Restart {
  const { observation, pod, engine, applied } = found;
  const { generation } = pod;
  const step: Step = { kind: "start", generation, ...at(found), containers, again: true };
  const { capabilities } =
    seenEngines(observation).find(({ config }) => config === engine) ?? observation;
  const reasons = containers
    .filter((name) => !isCompleted(applied.spec, pod, name))
    .map((name) => reasonOf(pod, name));
  return {
    byEngine: restartSupport(capabilities, applied.spec).support === "native",
    change: { ...changeOf(found, reasons), action: "start", steps: [step], interrupts: false },
  };
}

/** All of the pod ends, and is started in its order: the containers of a pod live together. */
function newStart(found: AppliedPod, reasons: readonly Reason[]): Restart {
  const { generation } = found.pod;
  const steps: readonly Step[] = [
    { kind: "stop", generation, ...at(found) },
    { kind: "start", generation, ...at(found), again: true },
  ];
  const change = changeOf(found, reasons);
  return { byEngine: false, change: { ...change, action: "restart", steps, interrupts: true } };
}

function at({ engine }: AppliedPod): Pick<AppliedPod, "engine"> {
  return engine === undefined ? {} : { engine };
}

function changeOf(
  { host, pod, applied }: AppliedPod,
  reasons: readonly Reason[],
): Omit<PodChange, "action" | "steps" | "interrupts"> {
  const { owner, fleet } = pod;
  return {
    id: `${host}/${pod.pod}`,
    host,
    pod: pod.pod,
    origin: { owner, fleet, host: pod.host },
    reasons,
    after: (applied.spec.dependsOn ?? []).map((each) => podDependency(each, host).id),
    to: applied,
    notes: [],
  };
}

function reasonOf({ containers }: ObservedPod, name: string): Reason {
  const text = stateWords(containers[name] as ObservedContainer);
  return { kind: "state", path: `containers.${name}`, verdict: "none", text };
}

/** Each waits for those of them that it depends on, until they are healthy; for nothing else. */
function withOrder(restarts: readonly Restart[]): readonly Restart[] {
  const ids = new Set(restarts.map(({ change }) => change.id));
  const awaited = new Set(restarts.flatMap(({ change }) => change.after));
  const completed = new Set(restarts.flatMap(({ change }) => idsOf(change, "completed")));
  return restarts.map(({ change, ...rest }) => ({
    ...rest,
    change: {
      ...change,
      after: change.after.filter((id) => ids.has(id)),
      steps: awaited.has(change.id)
        ? change.steps.flatMap(withWait).flatMap(completed.has(change.id) ? withCompletion : only)
        : change.steps,
      ...afterStart(change, ids),
    },
  }));
}

/** Those that only need to be started. */
function afterStart(change: PodChange, ids: ReadonlySet<string>): Pick<PodChange, "afterStart"> {
  const begun = idsOf(change, "started").filter((id) => ids.has(id));
  return begun.length === 0 ? {} : { afterStart: begun };
}

function idsOf({ host, to }: PodChange, wanted: Condition): readonly string[] {
  return (to?.spec.dependsOn ?? [])
    .map((each) => podDependency(each, host))
    .filter(({ condition }) => condition === wanted)
    .map(({ id }) => id);
}

function only(step: Step): readonly Step[] {
  return [step];
}

function withWait(step: Step): readonly Step[] {
  if (step.kind !== "start") return [step];
  const { generation, engine } = step;
  const at = engine === undefined ? {} : { engine };
  return [step, { kind: "wait-healthy", generation, ...at }];
}
