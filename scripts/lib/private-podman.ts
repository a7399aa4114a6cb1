import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { StowageError } from "../../src/errors/index.ts";

/** A podman whose store, run files and database lie in one folder. */
export interface PrivatePodman {
  /** How a host's declaration names it. */
  readonly config: {
    readonly kind: "podman";
    readonly program: string;
    readonly root: string;
    readonly runRoot: string;
    readonly tmpDir: string;
  };
  /** Flags that every command of it begins with. */
  readonly flags: readonly string[];
  /** Runs a command. @returns its stdout @throws StowageError when its exit code is not 0 */
  run(...args: readonly string[]): string;
  /** Whether the store was ever used: asking podman itself would make it. */
  wasUsed(): boolean;
  /** Removes every pod and container, running or not. */
  endContainers(): void;
  /** Takes everything away that runs in it or was made in it, its mounts too. */
  remove(): void;
}

/** Variables that a podman of ours is run with, besides PATH. */
const ENV = { PODMAN_IGNORE_CGROUPSV1_WARNING: "1" };
/** A list of hundreds of containers in all their detail has megabytes. */
const MAX_OUTPUT_BYTES = 1 << 28;

/** The podman of a folder; makes nothing. */
export function privatePodman(folder: string, program: string): PrivatePodman {
  const [root, runRoot, tmpDir] = ["root", "runroot", "tmp"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const flags = ["--root", root, "--runroot", runRoot, "--tmpdir", tmpDir];
  const run = (...args: readonly string[]): string => {
    const { stdout, stderr, status } = spawnSync(program, [...flags, ...args], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], ...ENV },
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    if (status === 0) return stdout;
    throw new StowageError(`Cannot run "podman ${args.join(" ")}": ${stderr}`, {
      code: "internal",
    });
  };
  const wasUsed = (): boolean =>
    ["libpod/bolt_state.db", "db.sql"].some((name) => existsSync(join(root, name)));
  const lines = (...args: readonly string[]): readonly string[] =>
    run(...args)
      .split("\n")
      .filter(Boolean);
  const endContainers = (): void => {
    if (!wasUsed()) return;
    for (const pod of lines("pod", "ps", "--quiet", "--no-trunc"))
      run("pod", "rm", "--force", "--time", "0", pod);
    const ids = lines("ps", "--all", "--external", "--quiet", "--no-trunc");
    if (ids.length > 0) run("rm", "--force", "--volumes", "--time", "0", ...ids);
  };
  return {
    config: { kind: "podman", program, root, runRoot, tmpDir },
    flags,
    run,
    wasUsed,
    endContainers,
    remove: () => {
      endContainers();
      waitForCleanups(folder);
      for (const mount of mountsBelow(folder).toReversed()) spawnSync("umount", [mount]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** conmon has podman clean up after each container, which would mount again what is unmounted here. */
function waitForCleanups(folder: string): void {
  for (let tries = 0; tries < 100 && processesOf(folder).some(isCleanup); tries += 1) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}

function isCleanup(line: string): boolean {
  return line.includes("container cleanup");
}

/** Processes that name a folder, each as its number and command line. */
export function processesOf(folder: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ");
        return argv.includes(folder) ? [`${pid} ${argv}`] : [];
      } catch {
        return [];
      }
    });
}

/** Mounts in a folder: podman leaves its graph driver's own in place. */
export function mountsBelow(folder: string): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${folder}/`));
}
