import { StowageError } from "../../errors/index.ts";
import type { MachineState, SimDirectory, SimFile } from "./machine-state.ts";

/** Makes the directories above a path that are missing. */
export function makeParents(state: MachineState, path: string, mode: number): void {
  for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1)) {
    makeDirectory(state, path.slice(0, at), { mode, uid: 0, gid: 0 });
  }
}

/** Something of somebody else's at a path: a file, or a symbolic link. */
export type NewFile = Partial<SimFile> | { readonly link: string };

/** Puts a file or a link of somebody else's there, or takes a file away. */
export function layFile(state: MachineState, path: string, file: NewFile | undefined): void {
  if (file === undefined) {
    delete state.files[path];
    return;
  }
  makeParents(state, path, 0o755);
  if ("link" in file) state.links[path] = file.link;
  else state.files[path] = { text: "", mode: 0o644, ...file };
}

/** Makes a directory whose parents are there; one that is there stays as it is. */
export function makeDirectory(state: MachineState, path: string, made: SimDirectory): void {
  if (state.files[path] !== undefined) {
    throw new StowageError(`Cannot make directory "${path}": it is a file`, {
      code: "failed_precondition",
      context: { path },
    });
  }
  state.directories[path] ??= made;
}

/** Removes everything below a directory, and itself where asked. */
export function removeBelow(state: MachineState, path: string, itself: boolean): void {
  for (const entries of [state.files, state.directories, state.links]) {
    for (const each of Object.keys(entries)) {
      if (each.startsWith(`${path}/`) || (itself && each === path)) delete entries[each];
    }
  }
}

/** Whether a file or directory is there; `.` in it only where it is a directory. */
export function exists(state: MachineState, path: string): boolean {
  if (path.endsWith("/.")) return state.directories[path.slice(0, -2)] !== undefined;
  return state.files[path] !== undefined || state.directories[path] !== undefined;
}

/** Names in a directory; undefined when it is not there. */
export function entriesOf(state: MachineState, path: string): readonly string[] | undefined {
  if (state.directories[path] === undefined) return undefined;
  const prefix = path === "/" ? "/" : `${path}/`;
  const names = [state.files, state.directories, state.links]
    .flatMap((each) => Object.keys(each))
    .filter((each) => each.startsWith(prefix) && each !== prefix)
    .map((each) => each.slice(prefix.length).split("/")[0] ?? "");
  return [...new Set(names)].sort();
}

/** Paths that a pattern means among those of files or of directories; `*` stands for anything within one segment. */
export function matching(
  among: MachineState["files"] | MachineState["directories"],
  pattern: string,
): readonly string[] {
  if (!pattern.includes("*")) return among[pattern] === undefined ? [] : [pattern];
  const source = pattern.split("*").map((text) => text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${source.join("[^/]*")}$`);
  return Object.keys(among).filter((path) => expression.test(path));
}

/** A path with the symbolic links on its way followed. */
export function followLinks(state: MachineState, path: string): string {
  for (const [from, to] of Object.entries(state.links)) {
    if (path === from || path.startsWith(`${from}/`)) {
      return followLinks(state, `${to}${path.slice(from.length)}`);
    }
  }
  return path;
}

/** Renames a directory with everything below it. */
export function renameBelow(state: MachineState, from: string, to: string): void {
  for (const entries of [state.files, state.directories] as Record<string, unknown>[]) {
    for (const [path, entry] of Object.entries(entries)) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      delete entries[path];
      entries[`${to}${path.slice(from.length)}`] = entry;
    }
  }
}

/** Bytes of the files below a directory. */
export function bytesBelow(state: MachineState, path: string): number {
  return Object.entries(state.files)
    .filter(([each]) => each === path || each.startsWith(`${path}/`))
    .reduce((sum, [, file]) => sum + Buffer.byteLength(file.text), 0);
}
