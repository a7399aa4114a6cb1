import { expect, test } from "vitest";
import { runLines } from "./run-lines.ts";

const sh = (script: string) => ["sh", "-c", script];

async function linesOf(script: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of runLines(sh(script))) lines.push(line);
  return lines;
}

/** Whether a process is there; one that has ended and was not waited for is not. */
function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("runLines() gives lines as they come, the last one without an end too", async () => {
  expect(await linesOf("printf 'one\\ntw'; printf 'o\\n\\nthree'")).toEqual([
    "one",
    "two",
    "",
    "three",
  ]);
});

test("runLines() ends the program of whoever leaves the loop", async () => {
  let pid = 0;
  for await (const line of runLines(sh("echo $$; exec sleep 1000"))) {
    pid = Number(line);
    break;
  }
  await expect.poll(() => runs(pid)).toBe(false);
});

test("runLines() ends the program at an abort, and rejects with its reason", async () => {
  const stop = new AbortController();
  const reason = new Error("enough");
  let pid = 0;
  const reading = (async () => {
    for await (const line of runLines(sh("echo $$; exec sleep 1000"), { signal: stop.signal })) {
      pid = Number(line);
      stop.abort(reason);
    }
  })();
  await expect(reading).rejects.toBe(reason);
  await expect.poll(() => runs(pid)).toBe(false);
});

test("runLines() says how a program ended that failed, and which one is not there", async () => {
  await expect(linesOf("echo no such thing >&2; exit 3")).rejects.toMatchObject({
    code: "unavailable",
    message:
      'Cannot read the output of program "sh": it ended with exit code 3 (no such thing); run it again',
  });
  const missing = runLines(["/nonexistent/program"])[Symbol.asyncIterator]().next();
  await expect(missing).rejects.toMatchObject({ code: "not_found" });
});

test("runLines() reads no line that never ends", async () => {
  await expect(linesOf("head -c 3000000 /dev/zero")).rejects.toMatchObject({
    code: "resource_exhausted",
  });
});
