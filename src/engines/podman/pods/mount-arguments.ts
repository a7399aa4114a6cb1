import { StowageError } from "../../../errors/index.ts";
import type { ContainerSpec, PodSpec } from "../../../model/index.ts";

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

/** What is mounted in a container. */
export interface MountInput {
  readonly pod: PodSpec;
  readonly container: ContainerSpec;
  readonly volumeDirs: Readonly<Record<string, string>>;
  /** Whether it is made in a podman pod, which takes its size of /dev/shm from elsewhere. */
  readonly inPod: boolean;
  /** Files of the host that nothing may be written in, by path in the container. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Flags for the mounts of a container, outer paths first.
 *
 * @throws StowageError `invalid_argument` when a mount names a volume that the pod does not have
 */
export function mountArguments(input: MountInput): readonly string[] {
  const declared = (input.container.mounts ?? []).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const taken = new Set(declared.map(({ path }) => path));
  return [
    ...shmArguments(input),
    ...Object.entries(input.files)
      .filter(([path]) => !taken.has(path))
      .flatMap(([path, source]) => ["--mount", csv(bind(source, path, true))]),
    ...declared.flatMap((mount) => ["--mount", csv(volumeMount(input, mount))]),
  ];
}

function shmArguments({ container, inPod }: MountInput): readonly string[] {
  const bytes = container.shmBytes ?? DEFAULT_SHM_BYTES;
  if (!inPod) return ["--shm-size", `${bytes}b`];
  if (container.mounts?.some(({ path }) => path === "/dev/shm") === true) return [];
  return [
    "--mount",
    csv([
      "type=tmpfs",
      "destination=/dev/shm",
      `tmpfs-size=${bytes}`,
      "tmpfs-mode=1777",
      "notmpcopyup",
    ]),
  ];
}

function volumeMount(
  { pod, volumeDirs }: MountInput,
  { volume: name, path, readOnly = false }: NonNullable<ContainerSpec["mounts"]>[number],
): readonly string[] {
  const volume = pod.volumes?.[name];
  if (volume?.kind === "bind") return bind(volume.path, path, readOnly);
  if (volume?.kind === "tmpfs") {
    return [
      "type=tmpfs",
      `destination=${path}`,
      ...(volume.sizeBytes === undefined ? [] : [`tmpfs-size=${volume.sizeBytes}`]),
      `tmpfs-mode=${volume.mode ?? "1777"}`,
      // what the image has there stays hidden, as on every engine
      "notmpcopyup",
      ...(readOnly ? ["ro=true"] : []),
    ];
  }
  const directory = volumeDirs[name];
  if (volume?.kind === "named" && directory !== undefined) return bind(directory, path, readOnly);
  throw new StowageError(`Cannot mount volume "${name}": the pod has no such volume; declare it`, {
    code: "invalid_argument",
    context: { volume: name, path },
  });
}

function bind(source: string, destination: string, readOnly: boolean): readonly string[] {
  return [
    "type=bind",
    `source=${source}`,
    `destination=${destination}`,
    // the host's own mounts below go along, and what is mounted there later too
    "bind-propagation=rslave",
    ...(readOnly ? ["ro=true"] : []),
  ];
}

/** One record of CSV: podman reads the flag as such, and paths may have commas. */
function csv(fields: readonly string[]): string {
  return fields
    .map((text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
    .join(",");
}
