import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Mutant } from "../../scripts/lib/mutant.ts";
import { proveBaseline, tryMutant } from "../../scripts/lib/mutant-trial.ts";

const NODE_MODULES = resolve(import.meta.dirname, "../../node_modules");

const mutant: Mutant = {
  name: "sample",
  promise: "one and one is two",
  project: "unit",
  testFile: "sum.test.ts",
  testTitle: "sum() (of two numbers)",
};

describe("trying a mutant on a small project", () => {
  let root: string;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "stw-mutants-"));
    write(".gitignore", "node_modules\n");
    write("package.json", '{ "type": "module" }\n');
    write(
      "vitest.config.ts",
      'export default { test: { projects: [{ test: { name: "unit", include: ["*.test.ts"] } }] } };\n',
    );
    write("sum.ts", "export const sum = (a: number, b: number) => a + b;\n");
    write(
      "sum.test.ts",
      `import { expect, test } from "vitest";
import { sum } from "./sum.ts";
test("sum() (of two numbers)", () => expect(sum(1, 1)).toBe(2));
test("false from the start", () => expect(sum(1, 1)).toBe(3));
`,
    );
    symlinkSync(NODE_MODULES, join(root, "node_modules"));
    execFileSync("git", ["init", "-q"], { cwd: root });
  });

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("a patch that breaks the promise is caught, and the project stays as it was", async () => {
    const patch = patchSum("a + b", "a - b");
    await proveBaseline(root, mutant);
    expect(await tryMutant(root, mutant, patch)).toMatchObject({ caught: true });
    await expect(proveBaseline(root, mutant)).resolves.toBeUndefined();
  });

  test("a patch that changes nothing survives", async () => {
    const verdict = await tryMutant(root, mutant, patchSum("a + b", "b + a"));
    expect(verdict).toEqual({ caught: false, detail: "the test still passes" });
  });

  test("a patch that only keeps the test from running is not caught", async () => {
    const verdict = await tryMutant(root, mutant, patchSum("a + b", "a +"));
    expect(verdict.caught).toBe(false);
    expect(verdict.detail).toContain("did not run");
  });

  test("a patch that does not apply is refused", async () => {
    const patch = patchSum("a * b", "a - b");
    await expect(tryMutant(root, mutant, patch)).rejects.toThrow('Cannot apply mutant "sample"');
  });

  test.each([
    ["no such title", "no test matched"],
    ["false from the start", "does not pass on the unpatched project"],
  ])("the test %j cannot serve: %s", async (testTitle, state) => {
    await expect(proveBaseline(root, { ...mutant, testTitle })).rejects.toThrow(state);
  });

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }

  function patchSum(before: string, after: string): string {
    const line = (body: string) => `export const sum = (a: number, b: number) => ${body};`;
    const file = join(root, "sample.patch");
    const diff = `--- a/sum.ts\n+++ b/sum.ts\n@@ -1 +1 @@\n-${line(before)}\n+${line(after)}\n`;
    writeFileSync(file, `promise: one and one is two\n\n${diff}`);
    return file;
  }
});
