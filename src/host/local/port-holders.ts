import { readdirSync, readlinkSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { PortHolder } from "../host.ts";
import { readTextSync } from "./read-text.ts";

const PROCESSES_AT_ONCE = 50;

/** Who holds sockets, by inode, from the open files of every process that may be read. */
export async function findPortHolders(
  inodes: readonly number[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, PortHolder>> {
  const wanted = new Map(inodes.map((inode) => [`socket:[${inode}]`, inode]));
  const found = new Map<number, PortHolder>();
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  for (const [at, pid] of pids.entries()) {
    if (found.size === wanted.size) break;
    if (at % PROCESSES_AT_ONCE === 0) await nextTurn();
    signal?.throwIfAborted();
    for (const link of openFiles(pid)) {
      const inode = wanted.get(link);
      if (inode !== undefined && !found.has(inode))
        found.set(inode, { pid: Number(pid), name: nameOf(pid) });
    }
  }
  return found;
}

function openFiles(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    // it ended, or belongs to somebody else: unknown
    return [];
  }
}

function nameOf(pid: string): string {
  const name = readTextSync(`/proc/${pid}/comm`);
  return typeof name === "string" ? name.trim() : "unknown";
}
