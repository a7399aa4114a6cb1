import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

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
 * again at the end, as none stands still at once.
 */
function stoppedTree(root: number): ReadonlySet<number> {
  const all = new Set<number>();
  const newOf = (pids: Iterable<number>): number[] =>
    [...pids].flatMap(childrenOf).filter((pid) => !all.has(pid));
  for (let begun = [root]; begun.length > 0; begun = newOf(all)) {
    for (let found = begun; found.length > 0; found = newOf(found)) {
      for (const pid of found) {
        all.add(pid);
        send(pid, "SIGSTOP");
      }
    }
  }
  return all;
}

function childrenOf(pid: number): readonly number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
        .split(" ")
        .filter(Boolean)
        .map(Number),
    );
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
