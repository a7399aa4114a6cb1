import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openExercise } from "../../../scripts/lib/code-cache/exercise.ts";
import { runCommand } from "../../../scripts/lib/run-command.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

// another user may not look at a containerd that is in use on this machine
test.skipIf(process.getuid?.() !== 0)(
  "what the code cache is made from is a plan of every engine that comes to its end",
  { timeout: 60_000 },
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "stw-exercise-"));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    await using exercise = await openExercise(dir);
    const main = join(ROOT, "src/cli/main.ts");
    const words = ["--import", "tsx", main, "plan", "--json", "--file", exercise.manifest];
    const { exitCode, output } = await runCommand(process.execPath, words, {
      cwd: ROOT,
      output: "capture",
    });
    expect(exitCode, output).toBe(2);
    const { hosts } = JSON.parse(output).plan;
    expect(hosts.map(({ host }: { host: string }) => host)).toEqual([
      "containerd",
      "podman",
      "rkt",
      "sim",
    ]);
  },
);
