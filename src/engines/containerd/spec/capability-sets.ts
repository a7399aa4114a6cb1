import { DEFAULT_CAPABILITIES } from "../../../engine/index.ts";
import type { Security } from "../../../model/index.ts";
import type { OciCapabilities } from "./oci-spec.ts";

/** Every capability, by its number in linux/capability.h. */
const BY_NUMBER: readonly string[] = [
  ...["CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"],
  ...["SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW"],
  ...["IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT"],
  ...["SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD"],
  ...["LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG"],
  ...["WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"],
].map((name) => `CAP_${name}`);

/**
 * Names of the capabilities in a line `CapBnd:` of /proc/<pid>/status; all that are known when the text
 * has none.
 */
export function boundingSetOf(status: string | undefined): readonly string[] {
  const mask = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status ?? "")?.[1];
  if (mask === undefined) return BY_NUMBER;
  const bits = BigInt(`0x${mask}`);
  return BY_NUMBER.filter((_, at) => ((bits >> BigInt(at)) & 1n) === 1n);
}

/** Whether every capability of the host is asked for, so that one has to know which those are. */
export function wantsAllCapabilities(security: Security | undefined): boolean {
  return security?.privileged === true || (security?.capabilitiesAdd?.includes("ALL") ?? false);
}

/**
 * The capabilities that processes of a container can have.
 *
 * `ALL` in drop removes the default ones, and what is added by name stays; a name in both is dropped.
 *
 * @param all what `ALL` stands for on this host
 */
export function capabilitiesOf(
  security: Security | undefined,
  all: readonly string[] = BY_NUMBER,
): readonly string[] {
  if (security?.privileged === true) return [...all].sort();
  const [add, drop] = [security?.capabilitiesAdd ?? [], security?.capabilitiesDrop ?? []];
  const base = drop.includes("ALL") ? [] : DEFAULT_CAPABILITIES;
  const given = [...base, ...(add.includes("ALL") ? all : add)];
  return [...new Set(given)].filter((name) => name !== "ALL" && !drop.includes(name)).sort();
}

/** The sets of the first process: one that is not root holds none, until a program of root's gives it some. */
export function capabilitySets(names: readonly string[], uid: number): OciCapabilities {
  const held = uid === 0 ? names : [];
  return { bounding: names, effective: held, permitted: held };
}
