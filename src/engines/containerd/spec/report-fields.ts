import { DEFAULT_CAPABILITIES } from "../../../engine/index.ts";
import type { Json } from "../../../model/index.ts";
import { storedLimits } from "./kernel-limits.ts";
import type { Notes } from "./notes.ts";
import type { StoredSpec } from "./stored-spec.ts";

type Reported = Readonly<Record<string, Json>>;

/**
 * What a container's stored spec says of its declared attributes, by path; null where it says that
 * nothing is set.
 *
 * @param limits limits as the kernel has them, in place of the stored ones
 */
export function reportContainer(
  spec: StoredSpec,
  notes: Notes,
  limits: Reported = storedLimits(spec) as Reported,
): Reported {
  if (notes.declared.length === 0) return {};
  const { process } = spec;
  const told = new Map<string, Json>([
    ["command", process.args.slice(0, notes.commandWords)],
    ["args", process.args.slice(notes.commandWords)],
    ["workingDir", process.cwd],
    ["readOnlyRootFilesystem", spec.root?.readonly ?? false],
    ["shmBytes", shmBytes(spec)],
    ["oomScoreAdj", process.oomScoreAdj ?? null],
    ...Object.entries(limits).map(([name, value]): [string, Json] => [`resources.${name}`, value]),
    ...Object.entries(notes.logging).map(([name, value]): [string, Json] => [
      `logging.${name}`,
      value,
    ]),
    ...process.env.map(environmentEntry),
    ...process.rlimits.flatMap(({ type, soft, hard }): [string, Json][] => {
      const name = type.replace("RLIMIT_", "").toLowerCase();
      return [
        [`ulimits.${name}.soft`, soft],
        [`ulimits.${name}.hard`, hard],
      ];
    }),
    ...mountEntries(spec, notes),
    ...securityEntries(spec),
  ]);
  const { uid, gid } = process.user;
  return Object.fromEntries(
    notes.declared.flatMap((path): [string, Json][] => {
      if (path === "user") return [[path, notes.userHasGroup ? `${uid}:${gid}` : `${uid}`]];
      return [[path, told.get(path) ?? null]];
    }),
  );
}

/** The same for attributes of the pod itself; all of its containers say the same. */
export function reportPod(spec: StoredSpec, notes: Notes): Reported {
  const told = new Map<string, Json>([
    ["hostname", spec.hostname ?? null],
    [
      "network.mode",
      spec.linux.namespaces.some(({ type }) => type === "network") ? "none" : "host",
    ],
    ...Object.entries(spec.linux.sysctl).map(([name, value]): [string, Json] => [
      `sysctls${segment(name)}`,
      value,
    ]),
  ]);
  return Object.fromEntries(notes.podDeclared.map((path) => [path, told.get(path) ?? null]));
}

function environmentEntry(entry: string): [string, Json] {
  const equals = entry.indexOf("=");
  return [`env${segment(entry.slice(0, equals))}`, entry.slice(equals + 1)];
}

function mountEntries(spec: StoredSpec, { volumes }: Notes): [string, Json][] {
  return spec.mounts.flatMap(({ destination, options }): [string, Json][] => {
    const volume = volumes[destination];
    if (volume === undefined) return [];
    return [
      [`mounts[${destination}].volume`, volume],
      [`mounts[${destination}].path`, destination],
      [`mounts[${destination}].readOnly`, options.includes("ro")],
    ];
  });
}

function securityEntries({ process, linux }: StoredSpec): [string, Json][] {
  const held = process.capabilities?.bounding ?? [];
  const unmasked = linux.maskedPaths.length === 0;
  return [
    [
      "security.privileged",
      unmasked && linux.seccomp === undefined && held.includes("CAP_SYS_ADMIN"),
    ],
    ["security.unmaskPaths", unmasked],
    ["security.seccomp", linux.seccomp === undefined ? "unconfined" : "default"],
    ["security.noNewPrivileges", process.noNewPrivileges],
    [
      "security.capabilitiesAdd",
      held.filter((name) => !DEFAULT_CAPABILITIES.includes(name)).sort(),
    ],
    [
      "security.capabilitiesDrop",
      DEFAULT_CAPABILITIES.filter((name) => !held.includes(name)).toSorted(),
    ],
  ];
}

function shmBytes({ mounts }: StoredSpec): Json {
  const options = mounts.find(({ destination }) => destination === "/dev/shm")?.options ?? [];
  const size = options.find((option) => /^size=\d+$/.test(option));
  return size === undefined ? null : Number(size.slice("size=".length));
}

/** A key as a step of an attribute's path, written as the model does. */
function segment(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
