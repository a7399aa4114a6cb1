import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Link } from "./link.ts";
import { Session } from "./session.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stw-link-"));
});
afterEach(() => {
  // what a failed test leaves
  if (isThere(ssh())) process.kill(-ssh(), "SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

/** A way by a script in place of ssh(1), which leaves its number; the command is its last word. */
function script(text: string): string {
  const program = join(dir, "ssh");
  const lines = [
    `echo $$ >${dir}/pid.tmp; mv ${dir}/pid.tmp ${dir}/pid`,
    "for command; do :; done",
  ];
  writeFileSync(program, ["#!/bin/sh", ...lines, text, ""].join("\n"), { mode: 0o755 });
  return program;
}
const ssh = () => Number(readFileSync(join(dir, "pid"), "utf8"));
const untilGone = (pid: number) => vi.waitUntil(() => !isThere(pid), { timeout: 10_000 });

test.each(Array.from({ length: 16 }, (_, turns) => [turns]))(
  "a connection that is let go of %s turns after it came up does not stay",
  async (turns) => {
    const program = script(`exec /bin/sh -c "$command"`);
    const link = new Link({ address: "ssh://here", at: { host: "here" }, program });
    let closing: Promise<void> | undefined;
    const { get } = Object.getOwnPropertyDescriptor(Session.prototype, "ready") ?? {};
    vi.spyOn(Session.prototype, "ready", "get").mockImplementation(function (this: Session) {
      const ready = get?.call(this) as Promise<void>;
      void ready.then(async () => {
        for (let turn = 0; turn < turns; turn += 1) await undefined;
        closing = link.close();
      });
      return ready;
    });
    await link.session(undefined).catch(() => undefined);
    await vi.waitUntil(() => closing !== undefined);
    await closing;
    await untilGone(ssh());
    expect(closing).toBeDefined();
  },
);

test.each([
  [
    "is being made",
    "sleep 600",
    "void link.session().catch(() => {}); await there(); process.exit()",
  ],
  [
    "was let go of, and whose host says nothing",
    `/bin/sh -c "$command"; sleep 600`,
    'await link.session(); await link.close(); process.kill(process.pid, "SIGKILL")',
  ],
])("a connection that %s does not outlive this process", async (_, text, act) => {
  const program = script(text);
  const main = join(dir, "main.mts");
  writeFileSync(
    main,
    `import { existsSync } from "node:fs";
import { Link } from ${JSON.stringify(join(import.meta.dirname, "link.ts"))};
const there = async () => { while (!existsSync("${dir}/pid")) await new Promise((resolve) => setTimeout(resolve, 5)); };
const link = new Link({ address: "ssh://here", at: { host: "here" }, program: ${JSON.stringify(program)} });
${act};
`,
  );
  const stdio = ["ignore", "ignore", "inherit"] as const;
  await once(spawn(process.execPath, ["--import", "tsx", main], { stdio: [...stdio] }), "exit");
  await untilGone(ssh());
  expect(isThere(ssh())).toBe(false);
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.startsWith("Z") === false;
  } catch {
    return false;
  }
}
