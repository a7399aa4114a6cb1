import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Forwards } from "./forward.ts";

/** Takes the folder of temporary files to be another one. */
function temporaryFolder(name: string): string {
  const base = mkdtempSync(join(tmpdir(), "stw-forward-"));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(base, { recursive: true, force: true });
  });
  vi.stubEnv("TMPDIR", join(base, name));
  return join(base, name);
}

const nobody = async (): Promise<never> => {
  throw new Error("nobody is there");
};

test("each socket has a path that fits, also where the folder of temporary files has a long name", async () => {
  const long = temporaryFolder("x".repeat(100));
  mkdirSync(long);
  const forwards = [new Forwards(nobody), new Forwards(nobody)];
  const paths = await Promise.all(forwards.map((each) => each.to("/run/one.sock")));
  for (const each of forwards) await each.close();
  expect(new Set(paths).size).toBe(2);
  for (const path of paths) expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103);
  expect(readdirSync(long)).toEqual([]);
});

test("a folder of temporary files that is not there is told", async () => {
  const none = temporaryFolder("none");
  await expect(new Forwards(nobody).to("/run/one.sock")).rejects.toMatchObject({
    code: "failed_precondition",
    message: `Cannot make a folder in ${none} for the sockets to hosts (ENOENT); make it writable, or set TMPDIR to another one`,
  });
});
