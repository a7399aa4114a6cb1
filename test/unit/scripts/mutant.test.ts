import { expect, test } from "vitest";
import { parseMutant } from "../../../scripts/lib/mutant.ts";

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
