import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/**
 * Kills a program and all that it started, but for what has left it for good (a daemon), and reads no
 * more of its output: who holds on to that would else be waited for.
 */
export function killTree(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    // found before any of it dies: the children of the dead are nobody's
    const below = descendants(child.pid);
    child.kill("SIGKILL");
    for (const pid of below) kill(pid);
  }
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function descendants(pid: number): readonly number[] {
  return childrenOf(pid).flatMap((each) => [each, ...descendants(each)]);
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

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it ended meanwhile
  }
}
