import { expect, test } from "vitest";
import { AbsolutePath } from "./names.ts";

test.each(["/", "/a", "/a/b c", "/...", "/..a/.b", "/a\nb"])("%j is a path", (path) => {
  expect(AbsolutePath.safeParse(path).success).toBe(true);
});

test.each([
  ...["", "a", "./a", "/a/", "//", "//a", "/a//b"],
  ...["/..", "/.", "/../a", "/./a", "/a/..", "/a/../b", "/a/./b", "/a\n/../b", "/a\0"],
])("%j is none: a file would have more than one, or lie elsewhere", (path) => {
  expect(AbsolutePath.safeParse(path).success).toBe(false);
});
