import type { ContainerSpec } from "./container.ts";
import type { PodSpec } from "./pod.ts";

/** What a run of its own has otherwise than the container that it is made after. */
export interface OneOff {
  readonly container: string;
  /** In place of what it is declared to run: given to the image's entry point, where it has one. */
  readonly args?: readonly string[];
  /** In place of the image's entry point. */
  readonly entrypoint?: string;
  /** Beside its own environment, and before it. */
  readonly env?: Readonly<Record<string, string>>;
}

const NAME_LENGTH_MAX = 63;
/** Waits to be ended: what an image has to have for a command that is run beside it. */
const WAITING = ["sleep", "2147483647"] as const;

/** A name for a pod that is made after another one for a single run. */
export function oneOffName(pod: string, suffix: string): string {
  const end = `-run-${suffix}`;
  // no two dashes where a long name is cut at one
  return pod.slice(0, NAME_LENGTH_MAX - end.length).replace(/-+$/, "") + end;
}

/**
 * A pod that runs one container of another pod once: its image, user, environment, files, limits and rights, the
 * volumes that it sees, and the pod's network. What a second one cannot have, as ports of the host, is left out,
 * and so is what keeps a container up.
 */
export function oneOffPod(pod: PodSpec, { container: name, ...changes }: OneOff): PodSpec {
  const declared = pod.containers[name];
  if (declared === undefined) throw new Error(`There is no container ${name} to be run once`);
  const { volumes, network, hostname, sysctls, labels } = pod;
  const seen = Object.entries(volumes ?? {}).filter(([volume]) =>
    declared.mounts?.some((mount) => mount.volume === volume),
  );
  return {
    containers: { [name]: oneOffContainer(declared, changes) },
    ...(seen.length === 0 ? {} : { volumes: Object.fromEntries(seen) }),
    ...(network === undefined ? {} : { network }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(sysctls === undefined ? {} : { sysctls }),
    ...(labels === undefined ? {} : { labels }),
  };
}

/** That pod with a container that waits to be ended, for a command that is run in it meanwhile. */
export function waitingPod(pod: PodSpec, container: string): PodSpec {
  const { command: _, args: __, ...declared } = pod.containers[container] as ContainerSpec;
  const waiting = { ...declared, command: WAITING, stopSignal: "SIGKILL" };
  return { ...pod, containers: { ...pod.containers, [container]: waiting } };
}

function oneOffContainer(
  { command, args, ...declared }: ContainerSpec,
  changes: Omit<OneOff, "container">,
): ContainerSpec {
  const { health: _, drain: __, dependsOn: ___, completeWithinMs: ____, ...rest } = declared;
  const { logging, env } = rest;
  return {
    ...rest,
    ...wordsOf({ command, args }, changes),
    // its output is what is asked for
    ...(logging?.mode === "none" ? { logging: { ...logging, mode: "file" } } : {}),
    ...(changes.env === undefined ? {} : { env: { ...env, ...changes.env } }),
    init: true,
  };
}

function wordsOf(
  declared: {
    readonly command: ContainerSpec["command"] | undefined;
    readonly args: ContainerSpec["args"] | undefined;
  },
  { args, entrypoint }: Pick<OneOff, "args" | "entrypoint">,
): Pick<ContainerSpec, "command" | "args"> {
  if (entrypoint !== undefined) return { command: [entrypoint, ...(args ?? [])] };
  if (args !== undefined) return { args };
  return {
    ...(declared.command === undefined ? {} : { command: declared.command }),
    ...(declared.args === undefined ? {} : { args: declared.args }),
  };
}
