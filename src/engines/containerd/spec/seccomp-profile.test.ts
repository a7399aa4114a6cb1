import { describe, expect, test } from "vitest";
import { DEFAULT_CAPABILITIES } from "../../../engine/index.ts";
import { seccompProfile } from "./seccomp-profile.ts";
import { ALLOWED_SYSCALLS } from "./syscall-table.ts";

const profile = (...more: string[]) => seccompProfile([...DEFAULT_CAPABILITIES, ...more], "amd64");
const allowed = (name: string, ...more: string[]): boolean =>
  profile(...more).syscalls.some(
    ({ names, action, args }) =>
      action === "SCMP_ACT_ALLOW" && args === undefined && names.includes(name),
  );

describe("seccompProfile()", () => {
  test("names each system call once", () => {
    expect(new Set(ALLOWED_SYSCALLS).size).toBe(ALLOWED_SYSCALLS.length);
    expect(ALLOWED_SYSCALLS.every((name) => /^[a-z0-9_]+$/.test(name))).toBe(true);
  });

  test.each(["read", "openat", "execve", "chroot", "futex", "statx", "modify_ldt"])(
    "allows %s",
    (name) => {
      expect(allowed(name)).toBe(true);
    },
  );

  test.each([
    "mount",
    "bpf",
    "kexec_load",
    "keyctl",
    "io_uring_setup",
    "userfaultfd",
    "init_module",
    "setns",
    "reboot",
  ])("does not allow %s", (name) => expect(allowed(name)).toBe(false));

  test.each([
    ["mount", "CAP_SYS_ADMIN"],
    ["clone3", "CAP_SYS_ADMIN"],
    ["init_module", "CAP_SYS_MODULE"],
    ["settimeofday", "CAP_SYS_TIME"],
    ["bpf", "CAP_BPF"],
    ["mbind", "CAP_SYS_NICE"],
    ["open_by_handle_at", "CAP_DAC_READ_SEARCH"],
  ])("%s comes with %s", (name, capability) => {
    expect(allowed(name)).toBe(false);
    expect(allowed(name, capability)).toBe(true);
  });

  test("clone may make processes and threads, but no namespaces, and clone3 is as if it were not there", () => {
    const rules = profile().syscalls;
    expect(rules.find(({ names }) => names.includes("clone"))?.args).toEqual([
      { index: 0, value: 0x7e02_0000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" },
    ]);
    expect(rules.find(({ names }) => names.includes("clone3"))).toMatchObject({
      action: "SCMP_ACT_ERRNO",
      errnoRet: 38,
    });
  });

  test("knows other processors by their own calls and names", () => {
    const arm = seccompProfile(DEFAULT_CAPABILITIES, "arm64");
    expect(arm.architectures).toEqual(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
    expect(arm.syscalls[0]?.names).toContain("cacheflush");
    expect(arm.syscalls[0]?.names).not.toContain("modify_ldt");
  });
});
