import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { busyboxImage, type MadeImage } from "../../scripts/lib/make-image.ts";
import { stopPrivateContainerd } from "../../scripts/lib/private-containerd.ts";
import { privateContainerdPaths } from "../../scripts/lib/private-containerd-config.ts";
import { startTemporaryContainerd } from "../../scripts/lib/temporary-containerd.ts";
import type { HostSpec, PodSpec } from "../../src/model/index.ts";
import { benchFleet } from "./bench-fleet.ts";

/** Namespace that Stowage's pods are in. */
export const STOWAGE_NAMESPACE = "stowage";

/** A containerd for one benchmark, with an image on disk; disposing removes everything, running or not. */
export interface ContainerdLab extends AsyncDisposable {
  readonly address: string;
  /** Directory for files of the benchmark. */
  readonly dir: string;
  readonly image: MadeImage;
  readonly host: Omit<HostSpec, "pods">;
  /** Writes the manifest of a fleet of sleeping pods and returns its path. */
  writeFleet(name: string, pods: number, pod?: Partial<PodSpec>): string;
  /** Arguments of a `ctr` that speaks to this containerd. */
  ctrArgs(namespace: string, ...args: readonly string[]): string[];
}

/** Starts a containerd of its own; what Stowage keeps on the host lies in the same folder. */
export async function openContainerdLab(): Promise<ContainerdLab> {
  const containerd = await startTemporaryContainerd();
  const close = () => stopPrivateContainerd(containerd.dir);
  try {
    const dir = join(containerd.dir, "bench");
    mkdirSync(dir);
    const image = busyboxImage({ out: join(dir, "image"), programs: [] });
    const host: ContainerdLab["host"] = {
      address: "local",
      engine: { kind: "containerd", socket: containerd.address },
      stateDir: join(dir, "lib"),
      // what is mounted below the daemon's state goes with it
      runDir: join(privateContainerdPaths(containerd.dir).state, "stowage"),
    };
    return {
      address: containerd.address,
      dir,
      image,
      host,
      writeFleet: (name, pods, pod = {}) => {
        const path = join(dir, `${name}.json`);
        writeFileSync(path, JSON.stringify(benchFleet({ name, pods, pod, host, image })));
        return path;
      },
      ctrArgs: (namespace, ...args) => ["-a", containerd.address, "-n", namespace, ...args],
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
