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
  const groups = new Map<string, ReadonlyMap<string, Json>>();
  const tell = (path: string): Json => {
    const name = /^[a-zA-Z]+/.exec(path)?.[0] ?? path;
    let group = groups.get(name);
    if (group === undefined) {
      group = new Map(entriesOf(name, spec, notes, limits));
      groups.set(name, group);
    }
    return group.get(path) ?? null;
  };
  return Object.fromEntries(notes.declared.map((path) => [path, tell(path)]));
}

/** What a spec says of the attributes whose path begins with a name; made only where one is declared. */
function entriesOf(
  name: string,
  spec: StoredSpec,
  notes: Notes,
  limits: Reported,
): readonly [string, Json][] {
  const { process } = spec;
  const { uid, gid } = process.user;
  switch (name) {
    case "command":
      return [[name, process.args.slice(0, notes.commandWords)]];
    case "args":
      return [[name, process.args.slice(notes.commandWords)]];
    case "workingDir":
      return [[name, process.cwd]];
    case "user":
      return [[name, notes.userHasGroup ? `${uid}:${gid}` : `${uid}`]];
    case "readOnlyRootFilesystem":
      return [[name, spec.root?.readonly ?? false]];
    case "shmBytes":
      return [[name, shmBytes(spec)]];
    case "oomScoreAdj":
      return [[name, process.oomScoreAdj ?? null]];
    case "env":
      return process.env.map(environmentEntry);
    case "ulimits":
      return process.rlimits.flatMap(limitEntries);
    case "mounts":
      return mountEntries(spec, notes);
    case "security":
      return securityEntries(spec);
    case "resources":
    case "logging":
      return Object.entries(name === "resources" ? limits : notes.logging).map(([key, value]) => [
        `${name}.${key}`,
        value,
      ]);
    default:
      return [];
  }
}

function limitEntries({ type, soft, hard }: StoredSpec["process"]["rlimits"][number]) {
  const name = type.replace("RLIMIT_", "").toLowerCase();
  return [
    [`ulimits.${name}.soft`, soft],
    [`ulimits.${name}.hard`, hard],
  ] satisfies [string, Json][];
}

/** The same for attributes of the pod itself; all of its containers say the same. */
export function reportPod(spec: StoredSpec, notes: Notes): Reported {
  if (notes.podDeclared.length === 0) return {};
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
