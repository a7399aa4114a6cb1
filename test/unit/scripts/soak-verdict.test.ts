import { expect, test } from "vitest";
import type { Measure } from "../../../scripts/lib/soak/measure.ts";
import { judge } from "../../../scripts/lib/soak/verdict.ts";

const MEBIBYTE = 1024 * 1024;
const at = (memory: number, files: readonly string[], mounts = ["/", "/run"]): Measure => ({
  memory: { "our heap": memory * MEBIBYTE },
  things: { files, mounts },
});

test("judge() calls a soak flat that ends as it was after the warm-up", () => {
  const verdict = judge([at(50, ["/a", "/b"])], [at(60, ["/b", "/a"])]);
  expect(verdict).toMatchObject({ flat: true });
  expect(verdict.lines.join("\n")).toContain("flat     our heap: 50.0 MiB -> 60.0 MiB");
});

test("judge() names what there is more of, with how many", () => {
  const { flat, lines } = judge([at(50, ["/a"])], [at(50, ["/a", "/left-*", "/left-*"])]);
  expect(flat).toBe(false);
  expect(lines).toContain("NOT FLAT files: 1 -> 3\n    + 2 /left-*");
  expect(lines).toContain("flat     mounts: 2 -> 2");
});

test("judge() calls memory that grew by more than its share not flat, and one peak is none", () => {
  const flat = (...ends: readonly number[]) =>
    judge(
      [at(50, [])],
      ends.map((each) => at(each, [])),
    ).flat;
  expect(flat(100, 101, 102)).toBe(false);
  expect(flat(51, 500, 52)).toBe(true);
});

test("judge() calls nothing flat that was not measured", () => {
  expect(judge([], [at(1, [])]).flat).toBe(false);
});
