import { type HostReader, PROGRAM_PATH } from "../../host/index.ts";
import { type MachineFacts, parseCgroups, words } from "./machine-facts.ts";

const FOLDERS = PROGRAM_PATH.split(":");
const KERNEL = "/proc/sys/kernel/osrelease";
const CONTROLLERS = "/sys/fs/cgroup/cgroup.controllers";
const MOUNTS = "/proc/self/mounts";
const FILESYSTEMS = "/proc/filesystems";

/** Looks at a host from elsewhere, in one go; changes nothing on it. */
export async function readFarFacts(
  host: HostReader,
  stateDir: string,
  programs: readonly string[],
  signal: AbortSignal,
): Promise<MachineFacts> {
  const exist = programs.flatMap(placesOf);
  const files = [KERNEL, CONTROLLERS, MOUNTS, FILESYSTEMS];
  const seen = await host.snapshot({ files, exist, space: [stateDir] }, { signal });
  const textOf = (path: string): string | undefined => {
    const text = seen.files.get(path);
    return typeof text === "string" ? text : undefined;
  };
  const found = programs.flatMap((name) => {
    const path = placesOf(name).find((each) => seen.existing.has(each));
    return path === undefined ? [] : [[name, path] as const];
  });
  return {
    platform: "linux",
    kernel: textOf(KERNEL)?.trim() ?? "",
    uid: seen.user.uid,
    cgroups: parseCgroups(textOf(CONTROLLERS), textOf(MOUNTS)),
    filesystems: words(textOf(FILESYSTEMS) ?? ""),
    freeBytes: seen.space.get(stateDir)?.freeBytes,
    programs: Object.fromEntries(found),
  };
}

function placesOf(program: string): readonly string[] {
  return program.startsWith("/") ? [program] : FOLDERS.map((folder) => `${folder}/${program}`);
}
