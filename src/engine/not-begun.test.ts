import { expect, test } from "vitest";
import { notBegunCode } from "./not-begun.ts";

test.each([
  ['exec: "/absent": stat /absent: no such file or directory', 127],
  ['exec: "absent": executable file not found in $PATH', 127],
  ["crun: executable file `absent` not found in $PATH: No such file or directory", 127],
  ['exec: "/etc/hosts": permission denied: OCI permission denied', 126],
  ["crun: open executable: Permission denied: OCI permission denied", 126],
  ["fly-enter: exec failed: exec format error", 126],
  ['chdir to cwd ("/absent") set in config.json failed: no such file or directory', undefined],
  ["container state improper", undefined],
] as const)("what a runtime says of a command is told apart: %s", (said, code) => {
  expect(notBegunCode(said)).toBe(code);
});
