import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLocalHost } from "../../host/index.ts";
import { acquireHostLock } from "./host-lock.ts";

const LIFE_MS = 1_500;

let dir: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stw-lock-"));
});

afterEach(() => {
  child?.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

/** A process that holds the lock and writes every few milliseconds, each time after its checks. */
async function startHolder(): Promise<ChildProcess> {
  const program = `
    import { setTimeout as sleep } from "node:timers/promises";
    import { openLocalHost } from ${JSON.stringify(join(import.meta.dirname, "../../host/index.ts"))};
    import { acquireHostLock } from ${JSON.stringify(join(import.meta.dirname, "host-lock.ts"))};
    import { fencedSignal } from ${JSON.stringify(join(import.meta.dirname, "fenced-signal.ts"))};
    const [dir] = process.argv.slice(1);
    const host = openLocalHost();
    const lock = await acquireHostLock({
      host, name: "alpha", lockDir: dir + "/lock", owner: "holder", timeoutMs: 0, session: new Map(), lifeMs: ${LIFE_MS},
    });
    const signal = fencedSignal(lock, []);
    console.log("held");
    try {
      for (let at = 0; ; at += 1) {
        await host.writeFile(dir + "/count", String(at), { signal });
        if (at % 2 === 0) await lock.check();
        await sleep(2);
      }
    } catch {
      await lock.check().catch((error) => console.log(error.message));
      process.exit(0);
    }
  `;
  child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program, dir], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: join(import.meta.dirname, "../../.."),
  });
  await once(child.stdout as NodeJS.ReadableStream, "data");
  while (!existsSync(join(dir, "count"))) await new Promise((resolve) => setTimeout(resolve, 5));
  return child;
}

/** Stops it where it has yet to ask before its next write: not in the instant between the asking and the write. */
async function stopBetweenWrites(holder: ChildProcess): Promise<void> {
  for (;;) {
    holder.kill("SIGSTOP");
    // whatever its threads are at comes to its end
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (readdirSync(dir).every((name) => ["count", "lock"].includes(name))) return;
    holder.kill("SIGCONT");
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

function request(timeoutMs: number) {
  const host = openLocalHost();
  return {
    host,
    name: "alpha",
    lockDir: join(dir, "lock"),
    owner: "second",
    timeoutMs,
    session: new Map(),
  };
}

test("a holder that was stopped past its time writes nothing more when it goes on", async () => {
  const holder = await startHolder();
  // longer than it lives: it is renewed
  await new Promise((resolve) => setTimeout(resolve, LIFE_MS * 2));
  await expect(acquireHostLock(request(0))).rejects.toThrow("holder since");
  await stopBetweenWrites(holder);
  await using lock = await acquireHostLock(request(5000));
  expect(lock.number).toBe(2);
  const before = readFileSync(join(dir, "count"), "utf8");
  const said = once(holder.stdout as NodeJS.ReadableStream, "data");
  holder.kill("SIGCONT");
  expect(String(await said)).toContain("lost the lock to second since");
  expect(readFileSync(join(dir, "count"), "utf8")).toBe(before);
}, 20_000);

test("the lock of a process of this machine that was killed is free at once", async () => {
  const holder = await startHolder();
  holder.kill("SIGKILL");
  await once(holder, "close");
  await using lock = await acquireHostLock(request(0));
  expect(lock.number).toBe(2);
}, 20_000);
