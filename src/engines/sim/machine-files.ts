import type { MachineState } from "./machine-state.ts";

/** Makes the directories above a path that are missing. */
export function makeParents(state: MachineState, path: string, mode: number): void {
  for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1)) {
    state.directories[path.slice(0, at)] ??= { mode, uid: 0, gid: 0 };
  }
}

/** Removes everything below a directory, and itself where asked. */
export function removeBelow(state: MachineState, path: string, itself: boolean): void {
  for (const entries of [state.files, state.directories, state.links]) {
    for (const each of Object.keys(entries)) {
      if (each.startsWith(`${path}/`) || (itself && each === path)) delete entries[each];
    }
  }
}

/** Whether a file or directory is there. */
export function exists(state: MachineState, path: string): boolean {
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

/** Paths of files that a pattern means; `*` stands for anything within one segment. */
export function matchingFiles(state: MachineState, pattern: string): readonly string[] {
  if (!pattern.includes("*")) return state.files[pattern] === undefined ? [] : [pattern];
  const source = pattern.split("*").map((text) => text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${source.join("[^/]*")}$`);
  return Object.keys(state.files).filter((path) => expression.test(path));
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
