import { type Capability, type CapabilityTable, capabilityOf } from "./capability.ts";
import type { Condition } from "./dependency.ts";
import { type ObservedPod, type PodState, podState } from "./observed.ts";
import type { PodSpec } from "./pod.ts";

type Containers = Pick<PodSpec, "containers">;

/** Whether a container runs to its end, and is not to run afterwards: others wait for that. */
export function runsOnce({ containers }: Containers, name: string): boolean {
  if (containers[name]?.init === true) return true;
  return Object.values(containers).some(({ dependsOn }) => dependsOn?.[name] === "completed");
}

/** The containers of a pod that run to their end. */
export function onceContainers(spec: Containers): readonly string[] {
  return Object.keys(spec.containers).filter((name) => runsOnce(spec, name));
}

/** State of a pod without those of its containers that ran to their end, as they are to: by the others it runs. */
export function stateWithoutCompleted(
  { state, containers }: Pick<ObservedPod, "state" | "containers">,
  spec: Containers | undefined,
): PodState {
  if (spec === undefined || state !== "degraded") return state;
  const others = Object.entries(containers).filter(
    ([name, each]) =>
      !(each.state === "exited" && (each.exitCode ?? 0) === 0 && runsOnce(spec, name)),
  );
  return podState(others.map(([, each]) => each.state));
}

/** What a container waits for, by the name of the other one: init containers come before all that is none. */
export function dependenciesOf(
  { containers }: Containers,
  name: string,
): ReadonlyMap<string, Condition> {
  const own = containers[name];
  const before = own?.init === true ? [] : initContainers(containers);
  return new Map<string, Condition>([
    ...Object.entries(own?.dependsOn ?? {}).map(([other, condition]): [string, Condition] => [
      other,
      containers[other]?.init === true ? "completed" : condition,
    ]),
    ...before.map((other): [string, Condition] => [other, "completed"]),
  ]);
}

/**
 * A pod's containers in the order in which they start: all of one stage together, each stage when what its
 * containers wait for is true. Init containers have a stage each.
 */
export function startStages(spec: Containers): readonly (readonly string[])[] {
  const { containers } = spec;
  const names = Object.keys(containers).sort();
  const isPlain = names.every((name) => {
    const { init, dependsOn } = containers[name] ?? {};
    return init !== true && dependsOn === undefined;
  });
  if (isPlain) return [names];
  const first = initContainers(containers).map((name) => [name]);
  const stages: (readonly string[])[] = [...first];
  const placed = new Set(first.flat());
  let rest = names.filter((name) => !placed.has(name));
  while (rest.length > 0) {
    const isReady = (name: string): boolean =>
      [...dependenciesOf(spec, name).keys()].every((other) => placed.has(other));
    const ready = rest.filter(isReady);
    // a circle: no manifest that was validated has one
    const stage = ready.length === 0 ? rest : ready;
    stages.push(stage);
    for (const name of stage) placed.add(name);
    rest = rest.filter((name) => !placed.has(name));
  }
  return stages;
}

/**
 * Whether an engine starts again what ends, as the pod's policy wants it. Containers that run to their end
 * are to run again before the others, which no engine does: of such a pod, watch does all of it.
 */
export function restartSupport(
  table: CapabilityTable,
  spec: Pick<PodSpec, "containers" | "restart">,
): Pick<Capability, "support" | "while"> {
  const policy = spec.restart?.policy ?? "no";
  const known = capabilityOf(table, "restart.policy", policy);
  if (policy === "no" || known.support !== "native") return known;
  if (onceContainers(spec).length === 0) return known;
  return { support: "emulated", while: "stowage watch runs" };
}

/** Init containers, one after another: as they depend on each other, else by name. */
function initContainers(containers: PodSpec["containers"]): readonly string[] {
  let rest = Object.keys(containers)
    .filter((name) => containers[name]?.init === true)
    .sort();
  const ordered: string[] = [];
  while (rest.length > 0) {
    const waits = (name: string): boolean =>
      Object.keys(containers[name]?.dependsOn ?? {}).some((other) => rest.includes(other));
    const next = rest.find((name) => !waits(name)) ?? (rest[0] as string);
    ordered.push(next);
    rest = rest.filter((name) => name !== next);
  }
  return ordered;
}
