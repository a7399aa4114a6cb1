import { readFile, statfs } from "node:fs/promises";
import { release } from "node:os";
import { dirname } from "node:path";
import { findOnPath } from "../../internal/index.ts";

/** What doctor has to know of the machine that it runs on. */
export interface MachineFacts {
  readonly platform: string;
  readonly kernel: string;
  /** Undefined where there are no users' numbers. */
  readonly uid: number | undefined;
  readonly cgroups: { readonly version: 0 | 1 | 2; readonly controllers: readonly string[] };
  readonly filesystems: readonly string[];
  /** Free bytes of the file system that is to hold the state; undefined if not known. */
  readonly freeBytes: number | undefined;
  /** Path of each program found, by name. */
  readonly programs: Readonly<Record<string, string>>;
}

/** Looks at this machine; changes nothing on it. */
export async function readMachineFacts(
  stateDir: string,
  programs: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<MachineFacts> {
  const found = programs.map((name) => [name, findOnPath(name, env)] as const);
  return {
    platform: process.platform,
    kernel: release(),
    uid: process.getuid?.(),
    cgroups: parseCgroups(
      await textOf("/sys/fs/cgroup/cgroup.controllers"),
      await textOf("/proc/self/mounts"),
    ),
    filesystems: words((await textOf("/proc/filesystems")) ?? ""),
    freeBytes: await freeBytes(stateDir),
    programs: Object.fromEntries(
      found.flatMap(([name, path]) => (path === undefined ? [] : [[name, path]])),
    ),
  };
}

/** Which cgroups there are, by the file that only version 2 has, and by what is mounted. */
export function parseCgroups(
  unified: string | undefined,
  mounted: string | undefined,
): MachineFacts["cgroups"] {
  if (unified !== undefined) return { version: 2, controllers: words(unified) };
  const mounts = (mounted ?? "").split("\n").map((line) => line.split(" "));
  const controllers = mounts
    .filter((mount) => mount[2] === "cgroup")
    .flatMap((mount) => (mount[3] ?? "").split(","));
  return { version: controllers.length === 0 ? 0 : 1, controllers };
}

async function freeBytes(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    const parent = dirname(path);
    return parent === path ? undefined : await freeBytes(parent);
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The words of a text. */
export function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
