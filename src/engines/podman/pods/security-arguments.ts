import { DEFAULT_CAPABILITIES } from "../../../engine/index.ts";
import type { Security } from "../../../model/index.ts";

/** What podman gives of itself. */
const PODMAN_CAPABILITIES: readonly string[] = DEFAULT_CAPABILITIES.filter(
  (name) => !["CAP_AUDIT_WRITE", "CAP_MKNOD", "CAP_NET_RAW"].includes(name),
);

/** The option that hides nothing of /proc and /sys. */
export const UNMASK = "unmask=ALL";

/** Whether a user, as it is declared or as the image names it, is root. */
export function isRoot(user: string): boolean {
  return ["", "0", "root"].includes(user.replace(/:.*$/, ""));
}

/**
 * Default capabilities that are not asked for. podman puts what it is asked for into the hands of a user
 * who is not root, where by default that user has none; such a user keeps to podman's own, which are fewer.
 */
export function absentCapabilities(
  security: Security | undefined,
  user: string,
): readonly string[] {
  if (isRoot(user) || security?.privileged === true) return [];
  const all = [...(security?.capabilitiesAdd ?? []), ...(security?.capabilitiesDrop ?? [])];
  if (all.includes("ALL")) return [];
  return DEFAULT_CAPABILITIES.filter(
    (name) => !PODMAN_CAPABILITIES.includes(name) && !all.includes(name),
  );
}

/** Flags for the rights of a container: podman's own defaults are fewer, and not those of every engine. */
export function securityArguments(security: Security | undefined, user: string): readonly string[] {
  const privileged = security?.privileged === true;
  const options = [
    ...((security?.noNewPrivileges ?? true) ? ["no-new-privileges"] : []),
    ...(!privileged && security?.seccomp === "unconfined" ? ["seccomp=unconfined"] : []),
    ...(!privileged && security?.unmaskPaths === true ? [UNMASK] : []),
  ];
  return [
    ...(privileged ? ["--privileged"] : capabilityArguments(security, isRoot(user))),
    ...options.flatMap((option) => ["--security-opt", option]),
  ];
}

/** `ALL` in drop removes the default ones, and what is added by name stays; a name in both is dropped. */
function capabilityArguments(security: Security | undefined, root: boolean): readonly string[] {
  const [add, drop] = [security?.capabilitiesAdd ?? [], security?.capabilitiesDrop ?? []];
  const dropped = drop.filter((name) => name !== "ALL");
  if (add.includes("ALL")) return flags("--cap-add", ["ALL"]).concat(flags("--cap-drop", dropped));
  const added = add.filter((name) => !dropped.includes(name));
  if (!root && !drop.includes("ALL")) {
    const more = added.filter((name) => !PODMAN_CAPABILITIES.includes(name));
    return flags("--cap-drop", dropped).concat(flags("--cap-add", more));
  }
  const base = drop.includes("ALL") ? [] : DEFAULT_CAPABILITIES;
  const held = [...new Set([...base, ...added])].filter((name) => !dropped.includes(name)).sort();
  return flags("--cap-drop", ["ALL"]).concat(flags("--cap-add", held));
}

function flags(flag: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [flag, names.join(",")];
}
