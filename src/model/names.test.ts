import { expect, test } from "vitest";
import { AbsolutePath, ProlongedPath } from "./names.ts";

test.each(["/", "/a", "/a/b c", "/...", "/..a/.b", "/a\nb"])("%j is a path", (path) => {
  expect(AbsolutePath.safeParse(path).success).toBe(true);
});

test("a path and each name in it are as long as the kernel takes them, in bytes", () => {
  const deep = `${`/${"a".repeat(254)}`.repeat(16)}/${"a".repeat(14)}`;
  expect(deep).toHaveLength(4095);
  for (const path of [deep, `/${"a".repeat(255)}`, `/${"é".repeat(127)}`])
    expect(AbsolutePath.safeParse(path).success).toBe(true);
  expect(ProlongedPath.safeParse(deep.slice(0, 3072)).success).toBe(true);
  expect(ProlongedPath.safeParse(deep.slice(0, 3073)).success).toBe(false);
  for (const path of [`${deep}a`, `/${"a".repeat(256)}`, `/${"é".repeat(128)}/a`])
    expect(AbsolutePath.safeParse(path).success).toBe(false);
});

test.each([
  ...["", "a", "./a", "/a/", "//", "//a", "/a//b"],
  ...["/..", "/.", "/../a", "/./a", "/a/..", "/a/../b", "/a/./b", "/a\n/../b", "/a\0"],
])("%j is none: a file would have more than one, or lie elsewhere", (path) => {
  expect(AbsolutePath.safeParse(path).success).toBe(false);
});
