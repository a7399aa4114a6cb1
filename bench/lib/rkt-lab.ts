import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { DEFAULT_STAGE1 } from "../../src/engines/rkt/flavor.ts";
import { RktLayout } from "../../src/engines/rkt/layout.ts";
import { StowageError } from "../../src/errors/index.ts";
import type { HostSpec } from "../../src/model/index.ts";
import { benchFleet } from "./bench-fleet.ts";

/** A data directory of rkt's for one benchmark; disposing ends and removes everything. */
export interface RktLab extends AsyncDisposable {
  /** Directory for files of the benchmark. */
  readonly dir: string;
  /** rkt's data directory. */
  readonly dataDir: string;
  /** Where Stowage keeps what is its own of pods. */
  readonly podsDir: string;
  /** Name and version of the stage1 image. */
  readonly stage1: string;
  /** A command line of rkt's. */
  rkt(...args: readonly string[]): readonly [program: string, ...args: string[]];
  /** Writes the manifest of a fleet of sleeping pods and returns its path. */
  writeFleet(name: string, pods: number): string;
}

/** Why there can be none here; undefined when there can. */
export function whyNoRktLab(): string | undefined {
  if (program() === undefined)
    return "STOWAGE_RKT names no rkt 1.30, and a double would measure itself";
  return process.getuid?.() === 0 ? undefined : "this is not root";
}

/** Makes a data directory; what Stowage keeps on the host lies in the same folder. */
export async function openRktLab(): Promise<RktLab> {
  const dir = mkdtempSync(join(tmpdir(), "stw-rkt-bench-"));
  const [dataDir, config] = [join(dir, "rkt"), join(dir, "config")];
  const image = busyboxImage({ out: join(dir, "image"), programs: [] });
  const rkt = program() ?? "rkt";
  const directories = { stateDir: join(dir, "lib"), runDir: join(dir, "run") };
  const layout = new RktLayout(directories, dataDir);
  const host: Omit<HostSpec, "pods"> = {
    address: "local",
    engine: {
      kind: "rkt",
      program: rkt,
      dir: dataDir,
      localConfig: config,
      systemConfig: config,
    },
    ...directories,
  };
  mkdirSync(config);
  return {
    dir,
    dataDir,
    podsDir: layout.podsDir,
    stage1: DEFAULT_STAGE1,
    rkt: (...args) => [
      rkt,
      `--dir=${dataDir}`,
      `--local-config=${config}`,
      `--system-config=${config}`,
      ...args,
    ],
    writeFleet: (name, pods) => {
      const path = join(dir, `${name}.json`);
      writeFileSync(path, JSON.stringify(benchFleet({ name, pods, host, image })));
      return path;
    },
    [Symbol.asyncDispose]: async () => {
      removeLab(dir, dataDir);
      spawnSync("sh", [
        "-c",
        `rmdir /sys/fs/cgroup/*/${layout.scope} /sys/fs/cgroup/${layout.scope}`,
      ]);
    },
  };
}

function program(): string | undefined {
  return process.env["STOWAGE_RKT"] || undefined;
}

/** Every pod has mounts of its own, which go with its process: what is mounted on the host is another's. */
function removeLab(dir: string, dataDir: string): void {
  for (const pid of podProcesses(dataDir)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended
    }
  }
  if (readFileSync("/proc/self/mountinfo", "utf8").includes(` ${dir}/`))
    throw new StowageError(`Cannot remove "${dir}": something is mounted below it`, {
      code: "internal",
    });
  rmSync(dir, { recursive: true, force: true });
}

/** Processes of fly's pods, as rkt wrote them down, by the UUIDs of those that came as far as their app. */
export function podProcesses(dataDir: string): readonly number[] {
  const folder = join(dataDir, "pods/run");
  return list(folder).flatMap((uuid) => {
    const pid = Number(read(join(folder, uuid, "pid")));
    const command = pid > 0 ? read(`/proc/${pid}/cmdline`) : "";
    // until it is the app's, its last word is the UUID
    return command === "" || command.includes(uuid) ? [] : [pid];
  });
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
