import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Command lines of the processes that name one of these. */
export function processesNaming(...words: readonly string[]): readonly string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    if (Number(pid) === process.pid) return [];
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      return words.some((word) => argv.includes(word)) ? [argv] : [];
    } catch {
      return [];
    }
  });
}

/** Where something is mounted whose path has one of these in it, in the order of the mounts. */
export function mountsNaming(...words: readonly string[]): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => words.some((word) => path.includes(word)));
}

/** How many there are in a folder, as one line; nothing when there is no folder. */
export function countIn(folder: string): readonly string[] {
  return existsSync(folder) ? [`${readdirSync(folder).length}`] : [];
}
