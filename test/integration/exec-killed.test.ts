import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const PROGRAM = join(import.meta.dirname, "containerd-pods/relay-process.ts");

test("of an exec that is killed before its command runs neither pipes nor copiers stay", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stw-relay-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const dir = join(folder, "stw-exec-1");
  const child = spawn(process.execPath, ["--import", "tsx", PROGRAM, dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  expect(said.toString()).toBe("open\n");
  expect(readdirSync(dir).sort()).toEqual(["err", "in", "out"]);
  child.kill("SIGKILL");
  await ended;
  await expect.poll(() => existsSync(dir), { timeout: 20_000 }).toBe(false);
  await expect.poll(() => programsAbout(dir), { timeout: 20_000 }).toEqual([]);
});

function programsAbout(dir: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(dir);
    } catch {
      return false;
    }
  });
}
