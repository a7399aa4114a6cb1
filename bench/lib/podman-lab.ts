import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxImage, type MadeImage } from "../../scripts/lib/make-image.ts";
import { type PrivatePodman, privatePodman } from "../../scripts/lib/private-podman.ts";
import { findOnPath } from "../../src/internal/index.ts";
import type { HostSpec, PodSpec } from "../../src/model/index.ts";
import { benchFleet } from "./bench-fleet.ts";

/** Environment that podman is run with on both sides. */
export const PODMAN_ENV: NodeJS.ProcessEnv = { PODMAN_IGNORE_CGROUPSV1_WARNING: "1" };

/** A podman for one benchmark, with an image on disk; disposing removes everything, running or not. */
export interface PodmanLab extends AsyncDisposable {
  readonly podman: PrivatePodman;
  /** Directory for files of the benchmark. */
  readonly dir: string;
  /** Writes the manifest of a fleet of sleeping pods and returns its path. */
  writeFleet(name: string, pods: number, pod?: Partial<PodSpec>): string;
}

/** Why there can be none here; undefined when there can. */
export function whyNoPodmanLab(): string | undefined {
  if (findOnPath("podman") === undefined) return "podman is not on PATH";
  return process.getuid?.() === 0 ? undefined : "this is not root";
}

/** Makes a store of podman's; what Stowage keeps on the host lies in the same folder. */
export async function openPodmanLab(): Promise<PodmanLab> {
  const folder = mkdtempSync(join(tmpdir(), "stw-podman-"));
  const podman = privatePodman(folder, findOnPath("podman") ?? "podman");
  const dir = join(folder, "bench");
  mkdirSync(dir);
  const image: MadeImage = busyboxImage({ out: join(dir, "image"), programs: [] });
  const host: Omit<HostSpec, "pods"> = {
    address: "local",
    engine: podman.config,
    stateDir: join(dir, "lib"),
    runDir: join(dir, "run"),
  };
  return {
    podman,
    dir,
    writeFleet: (name, pods, pod = {}) => {
      const path = join(dir, `${name}.json`);
      writeFileSync(path, JSON.stringify(benchFleet({ name, pods, pod, host, image })));
      return path;
    },
    [Symbol.asyncDispose]: async () => podman.remove(),
  };
}
