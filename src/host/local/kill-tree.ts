import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** As long as what does not stop is waited for. */
const STANDSTILL_MS = 2000;

/**
 * Kills a program and all that it started, but for what has left it for good (a daemon), and reads no
 * more of its output: who holds on to that would else be waited for.
 */
export function killTree(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    // found before any of it dies: the children of the dead are nobody's
    for (const pid of stoppedTree(child.pid)) send(pid, "SIGKILL");
  }
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/**
 * A program and all that it started: what stands still begins nothing more while the rest is looked for. All are asked
 * again at the end, once none of them runs: what is told to stop in the middle of a fork stops when that is over.
 */
function stoppedTree(root: number): ReadonlySet<number> {
  const all = new Set<number>();
  const until = performance.now() + STANDSTILL_MS;
  const newOf = (pids: Iterable<number>): number[] =>
    [...pids].flatMap(childrenOf).filter((pid) => !all.has(pid));
  for (let begun = [root]; begun.length > 0; begun = newOf(all)) {
    for (let found = begun; found.length > 0; found = newOf(found)) {
      for (const pid of found) {
        all.add(pid);
        send(pid, "SIGSTOP");
      }
    }
    while (performance.now() < until && [...all].some(runs)) pause();
  }
  return all;
}

function childrenOf(pid: number): readonly number[] {
  return ofTasks(pid, "children").flatMap((list) => list.split(" ").filter(Boolean).map(Number));
}

function runs(pid: number): boolean {
  return ofTasks(pid, "stat").some((stat) => stat[stat.lastIndexOf(")") + 2] === "R");
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

function ofTasks(pid: number, file: "children" | "stat"): readonly string[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/${file}`, "utf8"));
  } catch {
    // it ended meanwhile
    return [];
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it ended meanwhile
  }
}
