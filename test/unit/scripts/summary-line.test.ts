import { expect, test } from "vitest";
import { summarize } from "../../../scripts/lib/summary-line.ts";
import { countTests } from "../../../scripts/lib/vitest-run.ts";

const clean = { exitCode: 0, passed: 3, skipped: 0, failedTests: [], brokenFiles: [] };

test.each([
  [clean, "3 passed, 0 failed", 0],
  [{ ...clean, skipped: 2 }, "3 passed, 0 failed, 2 skipped", 0],
  [{ ...clean, failedTests: ["a", "b"], exitCode: 1 }, "3 passed, 2 failed", 1],
  [{ ...clean, brokenFiles: ["x.test.ts"], exitCode: 1 }, "3 passed, 1 failed", 1],
  [{ ...clean, exitCode: 1 }, "3 passed, 1 failed", 1],
  [{ ...clean, passed: 0 }, "0 passed, 0 failed", 1],
  [{ ...clean, passed: 0, skipped: 9 }, "0 passed, 0 failed, 9 skipped", 1],
])("summarize(%o) says %s with exit code %i", (outcome, line, exitCode) => {
  expect(summarize(outcome)).toEqual({ line, exitCode });
});

test("countTests() tells failed tests from files that failed without one", () => {
  const result = (name: string, status: string, ...statuses: string[]) => ({
    name,
    status,
    message: "",
    assertionResults: statuses.map((state, index) => ({
      status: state,
      fullName: `${name} ${index}`,
    })),
  });
  const report = {
    testResults: [
      result("a", "passed", "passed", "skipped", "todo"),
      result("b", "failed", "passed", "failed"),
      result("c", "failed"),
      result("d", "failed", "skipped"),
    ],
  };
  expect(countTests(report)).toEqual({
    passed: 2,
    skipped: 3,
    failedTests: ["b 1"],
    brokenFiles: ["c", "d"],
  });
});
