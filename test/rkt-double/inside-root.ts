import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { dirname, join as joinPosix, normalize } from "node:path/posix";

const MAX_LINKS = 40;
const EXECUTABLE = 0o111;

/** Finds a path in a root file system, links followed inside it; undefined when it is not there. */
export function resolveInside(root: string, path: string): string | undefined {
  let [rest, found, links] = [normalize(`/${path}`).split("/").filter(Boolean), "/", 0];
  while (rest.length > 0) {
    const [name = "", ...others] = rest;
    const next = joinPosix(found, name);
    const status = lstatSync(join(root, next), { throwIfNoEntry: false });
    if (status === undefined) return undefined;
    if (!status.isSymbolicLink()) {
      [found, rest] = [next, others];
      continue;
    }
    if (++links > MAX_LINKS) return undefined;
    const target = readlinkSync(join(root, next));
    const whole = target.startsWith("/") ? target : joinPosix(dirname(next), target);
    [found, rest] = ["/", [...normalize(whole).split("/").filter(Boolean), ...others]];
  }
  return join(root, found);
}

/** A file of a root file system; empty when it is not there. */
export function readInside(root: string, path: string): string {
  const file = resolveInside(root, path);
  return file === undefined ? "" : readFileSync(file, "utf8");
}

/** Why a file cannot be executed; undefined when it can. */
export function executionProblem(root: string, path: string): "missing" | "denied" | undefined {
  const file = resolveInside(root, path);
  if (file === undefined) return "missing";
  const { mode } = lstatSync(file);
  return (mode & EXECUTABLE) === 0 ? "denied" : undefined;
}

/** The first folder with an executable of a name; undefined when none has it. */
export function searchInside(
  root: string,
  folders: readonly string[],
  name: string,
): string | undefined {
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => joinPosix(folder, name))
    .find((path) => executionProblem(root, path) === undefined);
}

/** The number of a user or group by its name in `/etc/passwd` or `/etc/group`, or by itself. */
export function numberOf(
  root: string,
  file: "/etc/passwd" | "/etc/group",
  name: string,
): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  const line = readInside(root, file)
    .split("\n")
    .find((one) => one.startsWith(`${name}:`));
  return line === undefined ? undefined : Number(line.split(":")[2]);
}
