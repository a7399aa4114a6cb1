import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runAlone } from "../../../scripts/lib/quickstart/run-alone.ts";

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stw-alone-"));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

test("runAlone() refuses a second holder and names the first", async () => {
  await using _held = await runAlone(dir);
  await expect(runAlone(dir)).rejects.toMatchObject({
    code: "aborted",
    message: expect.stringContaining(`process ${process.pid}`),
  });
});

test("runAlone() lets exactly one of ten in", async () => {
  const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => runAlone(dir)));
  const held = attempts.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  for (const each of held) await each[Symbol.asyncDispose]();
  expect(held).toHaveLength(1);
});

test("runAlone() can be held again once it was given back", async () => {
  const first = await runAlone(dir);
  await first[Symbol.asyncDispose]();
  await using _second = await runAlone(dir);
  expect(existsSync(join(dir, "running.pid"))).toBe(true);
});
