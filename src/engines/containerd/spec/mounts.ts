import { StowageError } from "../../../errors/index.ts";
import type { ContainerSpec, PodSpec } from "../../../model/index.ts";
import type { OciMount } from "./oci-spec.ts";

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

/** Files of the host seen in the container, by their path in it. */
export type FileMounts = Readonly<Record<string, string>>;

/** What is mounted in a container. */
export interface MountInput {
  readonly pod: PodSpec;
  readonly container: ContainerSpec;
  readonly volumeDirs: Readonly<Record<string, string>>;
  readonly files: FileMounts;
  /** Whether nothing may be written in them. */
  readonly sharesFiles: boolean;
}

/**
 * Mounts of a container in the order in which they are made: the kernel's own, files of the network's,
 * volumes with outer paths first.
 *
 * @throws StowageError `invalid_argument` when a mount names a volume that the pod does not have
 */
export function toMounts(input: MountInput): readonly OciMount[] {
  const { container, files, sharesFiles } = input;
  const declared = (container.mounts ?? []).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const taken = new Set(declared.map(({ path }) => path));
  return [
    ...kernelMounts(container).filter(({ destination }) => !taken.has(destination)),
    ...Object.entries(files)
      .filter(([destination]) => !taken.has(destination))
      .map(([destination, source]) => bind(source, destination, sharesFiles)),
    ...declared.map((mount) => volumeMount(input, mount)),
  ];
}

function kernelMounts({ security, shmBytes }: ContainerSpec): readonly OciMount[] {
  const privileged = security?.privileged === true;
  const access = privileged ? "rw" : "ro";
  const quiet = ["nosuid", "noexec", "nodev"];
  const dev: OciMount = privileged
    ? { destination: "/dev", type: "bind", source: "/dev", options: ["rbind", "rslave", "rw"] }
    : {
        destination: "/dev",
        type: "tmpfs",
        source: "tmpfs",
        options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
      };
  return [
    { destination: "/proc", type: "proc", source: "proc", options: quiet },
    dev,
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: [...quiet, "mode=1777", `size=${shmBytes ?? DEFAULT_SHM_BYTES}`],
    },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: quiet },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: [...quiet, access] },
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: [...quiet, "relatime", access],
    },
  ];
}

function volumeMount(
  { pod, volumeDirs }: MountInput,
  { volume: name, path, readOnly = false }: NonNullable<ContainerSpec["mounts"]>[number],
): OciMount {
  const volume = pod.volumes?.[name];
  if (volume?.kind === "bind") return bind(volume.path, path, readOnly);
  if (volume?.kind === "tmpfs") {
    const size = volume.sizeBytes === undefined ? [] : [`size=${volume.sizeBytes}`];
    return {
      destination: path,
      type: "tmpfs",
      source: "tmpfs",
      options: [
        "nosuid",
        "nodev",
        `mode=${volume.mode ?? "1777"}`,
        ...size,
        readOnly ? "ro" : "rw",
      ],
    };
  }
  const directory = volumeDirs[name];
  if (volume?.kind === "named" && directory !== undefined) return bind(directory, path, readOnly);
  throw new StowageError(`Cannot mount volume "${name}": the pod has no such volume; declare it`, {
    code: "invalid_argument",
    context: { volume: name, path },
  });
}

function bind(source: string, destination: string, readOnly: boolean): OciMount {
  // the host's own mounts below go along, and what is mounted there later too
  return {
    destination,
    type: "bind",
    source,
    options: ["rbind", "rslave", readOnly ? "ro" : "rw"],
  };
}
