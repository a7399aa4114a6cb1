import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { endProgramsCommand } from "../../src/host/end-programs.ts";
import { type Host, PROGRAM_MARK } from "../../src/host/index.ts";
import { HOST_KINDS } from "../hosts/host-kinds.ts";

const MARK = `/run/test.${process.pid}`;

const started: number[] = [];
afterEach(() => {
  for (const pid of started.splice(0)) if (isAlive(pid)) process.kill(pid, "SIGKILL");
});

/** A program that runs as one of a process that is gone. */
async function begin(command: string, { value = MARK, detached = false } = {}): Promise<number> {
  const child = spawn("sh", ["-c", `echo begun; ${command}`], {
    env: { ...process.env, [PROGRAM_MARK]: value },
    stdio: ["ignore", "pipe", "ignore"],
    detached,
  });
  const pid = child.pid as number;
  started.push(pid);
  await once(child.stdout, "data");
  return pid;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.each(["local", "ssh"] as const)("programs of a host, %s", (kind) => {
  let host: Host;
  beforeAll(async () => {
    host = await HOST_KINDS[kind]();
  });
  afterAll(async () => await host[Symbol.asyncDispose]());

  test("a marked program is waited for", async () => {
    const pid = await begin("sleep 0.5");
    expect(await host.endPrograms(MARK, 60_000)).toEqual([]);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test("one that takes longer is killed, with what it started", async () => {
    const pid = await begin("sleep 1000 & exec sleep 1000");
    expect(await host.endPrograms(MARK, 100)).toEqual([]);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test("what went into the background stays, and so does what has another mark", async () => {
    const daemon = await begin("sleep 1000; true", { detached: true });
    const other = await begin("exec sleep 1000", { value: `${MARK}/other` });
    const plain = await begin("exec sleep 1000", { value: "" });
    expect(await host.endPrograms(MARK, 0)).toEqual([]);
    expect([daemon, other, plain].map(isAlive)).toEqual([true, true, true]);
    process.kill(-daemon, "SIGKILL");
  });

  test("programs are marked from when it is said until it ends", async () => {
    const read = async () =>
      (await host.run(["sh", "-c", `echo "$${PROGRAM_MARK}$OTHER"`], { env: { OTHER: "!" } }))
        .stdout;
    expect(await read()).toBe("!\n");
    host.markPrograms(MARK);
    expect(await read()).toBe(`${MARK}!\n`);
    host.markPrograms(undefined);
    expect(await read()).toBe("!\n");
  });
});

test("a machine on which every look takes long gives marked programs no more time", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stw-slow-"));
  try {
    writeFileSync(join(folder, "grep"), '#!/bin/sh\nsleep 0.4\nexec /bin/grep "$@"\n');
    chmodSync(join(folder, "grep"), 0o755);
    const pid = await begin("exec sleep 1000");
    const [program = "", ...words] = endProgramsCommand(MARK, 2_000);
    const ending = spawn(program, words, {
      env: { PATH: `${folder}:${process.env["PATH"]}` },
      stdio: "ignore",
    });
    // twenty looks of a tenth of a second would be half a minute
    await expect.poll(() => isAlive(pid), { timeout: 7_000 }).toBe(false);
    await once(ending, "close");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);
