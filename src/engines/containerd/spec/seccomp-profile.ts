import type { OciSeccomp, OciSyscallRule } from "./oci-spec.ts";
import {
  ALLOWED_SYSCALLS,
  SECCOMP_ARCHITECTURES,
  SYSCALLS_BY_ARCHITECTURE,
  SYSCALLS_BY_CAPABILITY,
} from "./syscall-table.ts";

const ALLOW = "SCMP_ACT_ALLOW";
const EPERM = 1;
const ENOSYS = 38;

/** Sockets into other virtual machines and the host, which no namespace keeps apart. */
const AF_VSOCK = 40;

/** The flags of clone(2) that make namespaces: mount, cgroup, UTS, IPC, user, PID, network. */
const CLONE_NAMESPACES =
  0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;

/** What personality(2) may be asked for: Linux, Linux32, both with UNAME26, and what it is now. */
const PERSONALITIES = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/**
 * The field's default filter: an allow list that grows with the capabilities of the container.
 *
 * io_uring is left out, as by containerd since 2.0: too many ways out of containers went through it.
 *
 * @param architecture by Go's name; undefined: the filter holds for the machine's own only
 */
export function seccompProfile(capabilities: readonly string[], architecture: string): OciSeccomp {
  const held = new Set(capabilities);
  const names = new Set([
    ...ALLOWED_SYSCALLS,
    ...words(SYSCALLS_BY_ARCHITECTURE[architecture]),
    ...capabilities.flatMap((name) => words(SYSCALLS_BY_CAPABILITY[name])),
  ]);
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: EPERM,
    architectures: SECCOMP_ARCHITECTURES[architecture] ?? [],
    syscalls: [
      { names: [...names], action: ALLOW },
      {
        names: ["socket"],
        action: ALLOW,
        args: [{ index: 0, value: AF_VSOCK, op: "SCMP_CMP_NE" }],
      },
      ...PERSONALITIES.map((value) => ({
        names: ["personality"],
        action: ALLOW,
        args: [{ index: 0, value, op: "SCMP_CMP_EQ" }],
      })),
      ...(held.has("CAP_SYS_ADMIN") ? [] : cloneRules(architecture)),
    ],
  };
}

/** Threads and processes, but no namespaces; clone3 hides its flags, and programs fall back when it is not there. */
function cloneRules(architecture: string): readonly OciSyscallRule[] {
  // s390's clone has its first two arguments the other way round
  const index = architecture === "s390x" ? 1 : 0;
  return [
    {
      names: ["clone"],
      action: ALLOW,
      args: [{ index, value: CLONE_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
    },
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
  ];
}

function words(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(" ");
}
