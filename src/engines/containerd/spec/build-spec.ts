import {
  declaredPaths,
  type ImageDefaults,
  mergeEnvironment,
  podDeclaredPaths,
  processArguments,
} from "../../../engine/index.ts";
import { type ContainerSpec, effectiveLogging, type PodSpec } from "../../../model/index.ts";
import { capabilitiesOf, capabilitySets } from "./capability-sets.ts";
import { deviceNodes, deviceRules, type HostDevice } from "./devices.ts";
import { type FileMounts, toMounts } from "./mounts.ts";
import { NOTES_ANNOTATION, type Notes, writeNotes } from "./notes.ts";
import type { OciNamespace, OciSpec, OciUser } from "./oci-spec.ts";
import { MASKED_PATHS, READONLY_PATHS } from "./protected-paths.ts";
import { toOciResources } from "./resource-limits.ts";
import { toRlimits } from "./rlimits.ts";
import { seccompProfile } from "./seccomp-profile.ts";

/** Everything that a container's runtime spec is made of. */
export interface SpecInput {
  readonly podName: string;
  readonly pod: PodSpec;
  readonly container: string;
  readonly image: ImageDefaults;
  readonly user: OciUser;
  /** Declared environment with secrets in clear. */
  readonly environment: Readonly<Record<string, string>>;
  readonly volumeDirs: Readonly<Record<string, string>>;
  readonly files: FileMounts;
  /** Those files are other pods' too: none may write in them. */
  readonly sharesFiles?: boolean;
  /** A network namespace of its own, the one at a path, or the host's. */
  readonly network: "new" | "host" | { readonly path: string };
  readonly cgroupsPath: string;
  readonly devices: readonly HostDevice[];
  /** What `ALL` stands for on this host. */
  readonly allCapabilities?: readonly string[];
  /** Of the host, by Go's name. */
  readonly architecture: string;
}

/** The path of a container's cgroup. */
export function cgroupsPath(namespace: string, id: string): string {
  return `/${namespace}/${id}`;
}

/**
 * The OCI runtime spec of a container, with the field's security defaults.
 *
 * @throws StowageError `invalid_argument` when nothing says what to run, or a mount's volume is not there
 */
export function buildSpec(input: SpecInput): OciSpec {
  const { pod, image } = input;
  const spec = containerOf(input);
  const { security } = spec;
  const capabilities = capabilitiesOf(security, input.allCapabilities);
  const { args, commandWords } = processArguments(spec, image);
  const rlimits = toRlimits(spec.ulimits);
  return {
    ociVersion: "1.0.2",
    process: {
      user: input.user,
      args,
      env: mergeEnvironment(image.env ?? [], input.environment),
      cwd: spec.workingDir ?? (image.workingDir || "/"),
      capabilities: capabilitySets(capabilities, input.user.uid),
      ...(rlimits.length === 0 ? {} : { rlimits }),
      noNewPrivileges: security?.noNewPrivileges ?? true,
      ...(spec.oomScoreAdj === undefined ? {} : { oomScoreAdj: spec.oomScoreAdj }),
    },
    root: { path: "rootfs", readonly: spec.readOnlyRootFilesystem ?? false },
    hostname: pod.hostname ?? input.podName,
    mounts: toMounts({
      pod,
      container: spec,
      volumeDirs: input.volumeDirs,
      files: input.files,
      sharesFiles: input.sharesFiles ?? false,
    }),
    annotations: { [NOTES_ANNOTATION]: writeNotes(notesOf(input, commandWords)) },
    linux: linuxOf(input, spec, capabilities),
  };
}

function linuxOf(
  input: SpecInput,
  { resources, security }: ContainerSpec,
  capabilities: readonly string[],
): OciSpec["linux"] {
  const { pod, devices } = input;
  const privileged = security?.privileged === true;
  const unmasked = privileged || security?.unmaskPaths === true;
  const filtered = !privileged && security?.seccomp !== "unconfined";
  // no rootfsPropagation: its "slave" is of the root alone, and a bind of a mount below would be shared with the host
  return {
    cgroupsPath: input.cgroupsPath,
    namespaces: namespacesOf(input.network),
    resources: { devices: deviceRules(devices, privileged), ...toOciResources(resources) },
    ...(devices.length === 0 ? {} : { devices: deviceNodes(devices) }),
    ...(pod.sysctls === undefined ? {} : { sysctl: pod.sysctls }),
    ...(filtered ? { seccomp: seccompProfile(capabilities, input.architecture) } : {}),
    ...(unmasked ? {} : { maskedPaths: MASKED_PATHS, readonlyPaths: READONLY_PATHS }),
  };
}

/** The namespaces of a container; those of a pod share the network's only. */
export function namespacesOf(network: SpecInput["network"]): readonly OciNamespace[] {
  const own = (["pid", "ipc", "uts", "mount", "cgroup"] as const).map((type) => ({ type }));
  if (network === "host") return own;
  return [...own, { type: "network", ...(network === "new" ? {} : network) }];
}

/** What of the notes follows from the declaration alone. */
export function declaredNotes(
  pod: PodSpec,
  container: string,
): Pick<Notes, "containers" | "declared" | "podDeclared" | "userHasGroup" | "volumes" | "logging"> {
  const spec = containerOf({ pod, container });
  // its type allows undefined, its values never are
  const logging = effectiveLogging(spec.logging) as Notes["logging"];
  return {
    containers: Object.keys(pod.containers).sort(),
    declared: [...declaredPaths(spec)],
    podDeclared: [...podDeclaredPaths(pod)],
    userHasGroup: spec.user?.includes(":") ?? false,
    volumes: Object.fromEntries((spec.mounts ?? []).map(({ path, volume }) => [path, volume])),
    logging,
  };
}

function notesOf({ pod, container, image }: SpecInput, commandWords: number): Notes {
  return {
    ...declaredNotes(pod, container),
    commandWords,
    ...(image.stopSignal === undefined ? {} : { stopSignal: image.stopSignal }),
  };
}

function containerOf({ pod, container }: Pick<SpecInput, "pod" | "container">): ContainerSpec {
  // a pod has the containers that it names
  return pod.containers[container] as ContainerSpec;
}
