import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseMutant } from "../../../scripts/lib/mutant.ts";
import { hasTitle } from "../../support/test-titles.ts";

const DIFF =
  "diff --git a/src/a.ts b/src/a.ts\n--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1 +1 @@\n-a\n+b\n";
const HEADER = `promise: apply twice plans nothing: ever
project: property
test: test/property/plan.test.ts -t "apply() twice (any fleet)"
`;

test("a mutant's header names the promise, the project and the test", () => {
  expect(parseMutant("apply-twice.patch", `${HEADER}\n${DIFF}`)).toEqual({
    name: "apply-twice",
    promise: "apply twice plans nothing: ever",
    project: "property",
    testFile: "test/property/plan.test.ts",
    testTitle: "apply() twice (any fleet)",
  });
});

test.each([
  ["promise", /no line "promise: \.\.\."/],
  ["project", /no line "project: \.\.\."/],
  ["test", /no line "test: \.\.\."/],
])("a header without %s is refused", (key, message) => {
  const header = HEADER.replace(new RegExp(`^${key}: .*\n`, "m"), "");
  expect(() => parseMutant("m.patch", header + DIFF)).toThrow(message);
});

test("a test that is no file with a title is refused", () => {
  const header = HEADER.replace(/^test: .*$/m, "test: all of them");
  expect(() => parseMutant("m.patch", header + DIFF)).toThrow("must be");
});

test("a header without a diff is refused", () => {
  expect(() => parseMutant("m.patch", HEADER)).toThrow("it holds no diff");
});

test("keys inside the diff do not count as header", () => {
  const diff = `--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\npromise: x\n`;
  const header = HEADER.replace(/^promise: .*\n/m, "");
  expect(() => parseMutant("m.patch", header + diff)).toThrow('no line "promise: ..."');
});

const PROJECT_ROOT = resolve(import.meta.dirname, "../../..");
const MUTANTS = join(PROJECT_ROOT, "test/mutants");

describe("the tests that mutants name", () => {
  test.each(readdirSync(MUTANTS))("%s names one that is there", (name) => {
    const { testFile, testTitle } = parseMutant(name, readFileSync(join(MUTANTS, name), "utf8"));
    expect(hasTitle(join(PROJECT_ROOT, testFile), testTitle), testTitle).toBe(true);
  });

  test.each([
    ["a part of it", "ends as it", true],
    ["the group's end and its beginning", "of things one ends", true],
    ["what a table fills in", "the first one is seen", true],
    ["all that a table fills in", "the second one", true],
    ["what no table fills in", "the third one is seen", false],
    ["words in another order", "as it ends", false],
    ["a test of what it imports", "it is told", true],
    ["what is no title", "unseen", false],
  ])("by %s", (_, title, isThere) => {
    const folder = mkdtempSync(join(tmpdir(), "stw-titles-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, "test"));
    const file = join(folder, "test/things.test.ts");
    writeFileSync(file, THINGS);
    writeFileSync(join(folder, "test/told.ts"), 'test("it is told", () => {});\n');
    expect(hasTitle(file, title)).toBe(isThere);
  });
});

const THINGS = `import "./told.ts";
describe("a list of things", () => {
  test("one ends as it began", () => {});
  test.each(["the first one", "the second one"])("%s is seen", () => {});
});
const other = "un" + "seen";
`;
