import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { privateContainerdPaths } from "../../scripts/lib/private-containerd-config.ts";
import { type ContainerdLab, STOWAGE_NAMESPACE } from "./containerd-lab.ts";
import { firstContainer, readSpec } from "./ctr-pods.ts";
import { timeCommand } from "./time-command.ts";

const PARALLEL = "8";

/** The least that as many pods can take: the runtime alone, without an engine, a snapshot, a shim or a log. */
export interface RuncPods {
  /** Runs them all; returns the milliseconds that it took. */
  run(): Promise<number>;
  /** Kills and removes them all. */
  remove(): Promise<number>;
}

/**
 * Prepares bundles with the spec of a pod that Stowage has in the lab now; they share its root file system, so
 * that pod has to stay until they are removed.
 */
export function openRuncPods(lab: ContainerdLab, count: number, signal: AbortSignal): RuncPods {
  const id = firstContainer(lab);
  const spec = readSpec(lab, STOWAGE_NAMESPACE, id);
  const { state } = privateContainerdPaths(join(lab.dir, ".."));
  const path = join(state, "io.containerd.runtime.v2.task", STOWAGE_NAMESPACE, id, "rootfs");
  const names = Array.from({ length: count }, (_, at) => `runc-${at}`);
  const bundles = join(lab.dir, "runc-bundles");
  for (const name of names) {
    mkdirSync(join(bundles, name), { recursive: true });
    const own = { ...spec, root: { path }, linux: { ...spec.linux, cgroupsPath: `/stw-${name}` } };
    writeFileSync(join(bundles, name, "config.json"), JSON.stringify(own));
  }
  const file = join(lab.dir, "runc-names");
  writeFileSync(file, names.map((name) => `${name}\0`).join(""));
  // what runc starts keeps its streams
  const apart = ["sh", "-c", 'exec "$@" </dev/null >/dev/null 2>&1', "sh"];
  const runc = [...apart, "runc", "--root", join(lab.dir, "runc")];
  const xargs = (...words: readonly string[]) =>
    timeCommand("xargs", ["-0", "-a", file, `-P${PARALLEL}`, "-I", "NAME", ...runc, ...words], {
      signal,
      cwd: bundles,
    });
  return {
    run: () => xargs("run", "--detach", "--bundle", "NAME", "NAME"),
    remove: () => xargs("delete", "--force", "NAME"),
  };
}
