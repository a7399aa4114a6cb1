import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { END_MARKED_FOR_GOOD, execMark } from "../../src/engine/index.ts";

/** The first becomes one that waits for nobody, as the first process of many a container does. */
const UNWAITED = `setsid sh -c 'echo $$; exec sleep 100000' & exec sleep 100000`;

test.runIf(process.platform === "linux")(
  "a guard ends a command that is dead and waited for by nobody, and then itself",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "stw-mark-"));
    const parent = spawn("sh", ["-c", UNWAITED], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(async () => {
      await killed(parent);
      rmSync(folder, { recursive: true });
    });
    const [said] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = said.toString().trim();
    const file = join(folder, "exec-1.pid");
    writeFileSync(file, pid);
    const args = [execMark(`none-${pid}`), "", file];
    const guard = spawn("sh", ["-c", END_MARKED_FOR_GOOD, "sh", ...args], { stdio: "inherit" });
    onTestFinished(async () => await killed(guard));
    expect(await once(guard, "close")).toEqual([0, null]);
    expect(statOf(pid)[0]).toBe("Z");
  },
);

/** What stands after the name in a process's stat. */
function statOf(pid: string): readonly string[] {
  return readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /, "").split(" ");
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "close");
  child.kill("SIGKILL");
  await ended;
}
