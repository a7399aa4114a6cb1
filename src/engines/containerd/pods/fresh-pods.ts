import { type PodInstance, runningPod } from "../../../engine/index.ts";
import { type HostReader, runningOn } from "../../../host/index.ts";
import { type ObservedPod, objectName, type PodIdentity } from "../../../model/index.ts";
import { cgroupsPath } from "../spec/build-spec.ts";
import { containerId } from "./container-id.ts";

/** After this time the daemon may have been told something else by others: it is asked again. */
const FRESH_MS = 5_000;

interface FreshPod {
  readonly pod: Pick<PodInstance, "identity" | "recordDigest" | "images">;
  /** By name. */
  readonly containers: ReadonlyMap<string, FreshContainer>;
  readonly startedAt: number;
}

interface FreshContainer {
  readonly id: string;
  readonly pid: number;
  /** Ticks at which its process began, once that was seen. */
  began?: string | undefined;
}

/**
 * Pods that this process started a moment ago. Whether they run on the kernel tells, at once for all of them;
 * the daemon would ask the shim of every container that it has.
 */
export class FreshPods {
  readonly #host: HostReader;
  readonly #namespace: string;
  /** Processes of tasks that wait to be started, by the container's id. */
  readonly #waiting = new Map<string, number>();
  /** By object name. */
  readonly #pods = new Map<string, FreshPod>();

  /** @param namespace containerd's, which the cgroups of its containers are below */
  constructor(host: HostReader, namespace: string) {
    this.#host = host;
    this.#namespace = namespace;
  }

  /** A container has a task, whose process waits to be started. */
  made(id: string, pid: number): void {
    this.#waiting.set(id, pid);
  }

  /** All processes of a pod run by now. */
  started(pod: PodInstance): void {
    const { identity, recordDigest, images, spec } = pod;
    this.forget(identity);
    const containers = new Map<string, FreshContainer>();
    for (const name of Object.keys(spec.containers)) {
      const id = containerId(identity, name);
      const pid = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (pid !== undefined) containers.set(name, { id, pid });
    }
    // of a task that another process made the daemon knows more
    if (containers.size < Object.keys(spec.containers).length) return;
    const startedAt = performance.now();
    this.#pods.set(objectName(identity), {
      pod: { identity, recordDigest, images },
      containers,
      startedAt,
    });
  }

  /** What is known of a generation is true no more. */
  forget(identity: PodIdentity): void {
    this.#pods.delete(objectName(identity));
  }

  /** @returns the pods, which run; undefined where the daemon has to be asked of one of them */
  async see(
    identities: readonly PodIdentity[],
    signal: AbortSignal | undefined,
  ): Promise<readonly ObservedPod[] | undefined> {
    const names = new Set(identities.map((identity) => objectName(identity)));
    const young = [...names].flatMap((name) => this.#young(name) ?? []);
    if (young.length < names.size) return undefined;
    const containers = young.flatMap((each) => [...each.containers.values()]);
    const processes = containers.map(({ id, pid, began }) => {
      const path = cgroupsPath(this.#namespace, id);
      return { pid, startedAt: began, cgroup: path, cgroupPaths: [path] };
    });
    const running = await runningOn(this.#host, processes, signal);
    for (const each of containers) each.began = running.get(each.pid);
    const ended = young.filter(({ containers: own }) =>
      [...own.values()].some(({ began }) => began === undefined),
    );
    for (const { pod } of ended) this.forget(pod.identity);
    return ended.length > 0
      ? undefined
      : young.map((each) => runningPod(each.pod, each.containers));
  }

  #young(name: string): FreshPod | undefined {
    const found = this.#pods.get(name);
    if (found === undefined || performance.now() - found.startedAt < FRESH_MS) return found;
    this.#pods.delete(name);
    return undefined;
  }
}
