import type { Stats } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { createLimiter } from "../../internal/index.ts";
import { fileError, isAbsent } from "./file-error.ts";

const AT_ONCE = 8;
const BYTES_PER_BLOCK = 512;

/**
 * Bytes on disk below a directory, as du(1) counts: blocks, a file of several names once, other
 * file systems and what symbolic links lead to left out. What vanishes meanwhile does not count.
 */
export async function measureDirectory(
  path: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  signal?.throwIfAborted();
  const run = createLimiter(AT_ONCE);
  const seen = new Set<string>();
  const root = await statOf(path);
  if (root === undefined) return 0;
  let bytes = count(root, seen);

  const walk = async (directory: string): Promise<void> => {
    const below = await run(async () => {
      signal?.throwIfAborted();
      const directories: string[] = [];
      for await (const name of namesIn(directory)) {
        const child = `${directory}/${name}`;
        const stats = await statOf(child);
        if (stats === undefined || stats.dev !== root.dev) continue;
        bytes += count(stats, seen);
        if (stats.isDirectory()) directories.push(child);
      }
      return directories;
    });
    await Promise.all(below.map(walk));
  };
  if (root.isDirectory()) await walk(path);
  return bytes;
}

function count(stats: Stats, seen: Set<string>): number {
  if (stats.nlink > 1 && !stats.isDirectory()) {
    const inode = `${stats.dev}:${stats.ino}`;
    if (seen.has(inode)) return 0;
    seen.add(inode);
  }
  return stats.blocks * BYTES_PER_BLOCK;
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw fileError(error, "measure", path);
  }
}

async function* namesIn(directory: string): AsyncGenerator<string> {
  try {
    for await (const entry of await opendir(directory)) yield entry.name;
  } catch (error) {
    if (!isAbsent(error)) throw fileError(error, "measure directory", directory);
  }
}
