import { DEFAULT_CAPABILITIES } from "../../../engine/index.ts";
import type { Json } from "../../../model/index.ts";
import type { InspectedContainer } from "../cli/answers.ts";
import type { Notes } from "./notes.ts";
import { UNMASK } from "./security-arguments.ts";

type Reported = Readonly<Record<string, Json>>;

/**
 * What podman says of a container's declared attributes, by path; null where it says that nothing is set.
 *
 * @param limits limits as the kernel has them
 */
export function reportContainer(
  container: InspectedContainer,
  notes: Notes,
  limits: Reported,
): Reported {
  const { Config, HostConfig, Path, Args } = container;
  const words = [Path, ...Args];
  const told = new Map<string, Json>([
    ["command", words.slice(0, notes.commandWords)],
    ["args", words.slice(notes.commandWords)],
    ["workingDir", Config.WorkingDir],
    ["user", Config.User],
    ["readOnlyRootFilesystem", HostConfig.ReadonlyRootfs],
    ["shmBytes", shmBytes(container)],
    ["oomScoreAdj", HostConfig.OomScoreAdj],
    ...Object.entries(limits).map(([name, value]): [string, Json] => [`resources.${name}`, value]),
    ...Config.Env.map(environmentEntry),
    ...HostConfig.Ulimits.flatMap(({ Name, Soft, Hard }): [string, Json][] => {
      const name = Name.replace("RLIMIT_", "").toLowerCase();
      return [
        [`ulimits.${name}.soft`, Soft],
        [`ulimits.${name}.hard`, Hard],
      ];
    }),
    ...mountEntries(container, notes),
    ...securityEntries(container, notes),
    ...loggingEntries(container, notes),
  ]);
  return Object.fromEntries(notes.declared.map((path) => [path, told.get(path) ?? null]));
}

/** The same for attributes of the pod itself; all of its containers say the same. */
export function reportPod({ Config }: InspectedContainer, mode: string, notes: Notes): Reported {
  const told = new Map<string, Json>([
    ["hostname", Config.Hostname],
    ["network.mode", mode],
    // podman does not tell them, and cannot change them
    ...Object.entries(notes.sysctls).map(([name, value]): [string, Json] => [
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

function mountEntries(
  { Mounts, HostConfig }: InspectedContainer,
  { volumes }: Notes,
): [string, Json][] {
  const seen = new Map<string, boolean>([
    ...Mounts.map(({ Destination, RW }): [string, boolean] => [Destination, !RW]),
    ...Object.entries(HostConfig.Tmpfs).map(([path, options]): [string, boolean] => [
      path,
      options.split(",").includes("ro"),
    ]),
  ]);
  return [...seen].flatMap(([path, readOnly]): [string, Json][] => {
    const volume = volumes[path];
    if (volume === undefined) return [];
    return [
      [`mounts[${path}].volume`, volume],
      [`mounts[${path}].path`, path],
      [`mounts[${path}].readOnly`, readOnly],
    ];
  });
}

function securityEntries(
  { BoundingCaps, Config, HostConfig }: InspectedContainer,
  { absent }: Notes,
): [string, Json][] {
  const held = BoundingCaps.map((name) => name.toUpperCase());
  const options = HostConfig.SecurityOpt;
  return [
    ["security.privileged", HostConfig.Privileged],
    // 4.3 lists it among no options
    ["security.unmaskPaths", isGiven(Config.CreateCommand, "--security-opt", UNMASK)],
    ["security.seccomp", options.includes("seccomp=unconfined") ? "unconfined" : "default"],
    ["security.noNewPrivileges", options.some((option) => /^no-new-privileges/.test(option))],
    [
      "security.capabilitiesAdd",
      held.filter((name) => !DEFAULT_CAPABILITIES.includes(name)).sort(),
    ],
    [
      "security.capabilitiesDrop",
      DEFAULT_CAPABILITIES.filter(
        (name) => !held.includes(name) && !absent.includes(name),
      ).toSorted(),
    ],
  ];
}

/** Whether a command was given a flag with a value, and not only a word that looks like it. */
function isGiven(command: readonly string[], flag: string, value: string): boolean {
  return command.some((word, at) => word === value && command[at - 1] === flag);
}

/** podman has one number for how much is kept; the two that it was made of are noted. */
function loggingEntries({ HostConfig }: InspectedContainer, { logging }: Notes): [string, Json][] {
  const mode = HostConfig.LogConfig.Type === "none" ? "none" : "file";
  return [
    ["logging.mode", mode],
    ["logging.maxBytes", logging.maxBytes],
    ["logging.maxFiles", logging.maxFiles],
  ];
}

function shmBytes({ HostConfig }: InspectedContainer): Json {
  const own = /(?:^|,)size=(\d+)(?:,|$)/.exec(HostConfig.Tmpfs["/dev/shm"] ?? "")?.[1];
  return own === undefined ? HostConfig.ShmSize : Number(own);
}

/** A key as a step of an attribute's path, written as the model does. */
function segment(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
