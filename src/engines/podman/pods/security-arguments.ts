import { DEFAULT_CAPABILITIES } from "../../../engine/index.ts";
import type { Security } from "../../../model/index.ts";

/** Flags for the rights of a container: podman's own defaults are fewer, and not those of every engine. */
export function securityArguments(security: Security | undefined): readonly string[] {
  const privileged = security?.privileged === true;
  const options = [
    ...((security?.noNewPrivileges ?? true) ? ["no-new-privileges"] : []),
    ...(!privileged && security?.seccomp === "unconfined" ? ["seccomp=unconfined"] : []),
    ...(!privileged && security?.unmaskPaths === true ? ["unmask=ALL"] : []),
  ];
  return [
    ...(privileged ? ["--privileged"] : capabilityArguments(security)),
    ...options.flatMap((option) => ["--security-opt", option]),
  ];
}

/** `ALL` in drop takes away the default ones, and what is added by name stays; a name in both is dropped. */
function capabilityArguments(security: Security | undefined): readonly string[] {
  const [add, drop] = [security?.capabilitiesAdd ?? [], security?.capabilitiesDrop ?? []];
  const dropped = drop.filter((name) => name !== "ALL");
  if (add.includes("ALL")) return flags("--cap-add", ["ALL"]).concat(flags("--cap-drop", dropped));
  const base = drop.includes("ALL") ? [] : DEFAULT_CAPABILITIES;
  const held = [...new Set([...base, ...add])].filter((name) => !dropped.includes(name)).sort();
  return flags("--cap-drop", ["ALL"]).concat(flags("--cap-add", held));
}

function flags(flag: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [flag, names.join(",")];
}
