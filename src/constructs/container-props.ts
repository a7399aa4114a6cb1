import type { Condition, ContainerSpec, Security } from "../model/index.ts";
import type { Cpu } from "./cpu.ts";
import type { Duration } from "./duration.ts";
import type { FileLike } from "./files.ts";
import type { IImage } from "./image.ts";
import type { Logging } from "./logging.ts";
import type { Probe } from "./probe.ts";
import type { Secret } from "./secret.ts";
import type { Size } from "./size.ts";
import type { IVolume, VolumeSource } from "./volume.ts";

/** Where a container sees a volume. */
export interface MountProps {
  /** The volume itself, or the name of one of the pod's `volumes`. */
  readonly volume: IVolume | VolumeSource | string;
  /** Absolute path in the container. */
  readonly path: string;
  /** @defaultValue false */
  readonly readOnly?: boolean;
}

/** Limits of a container; what is not set is no limit. */
export interface ResourcesProps {
  /** CPU limit. */
  readonly cpu?: Cpu;
  /** Weight relative to other containers when CPU time is scarce; the kernel's default is 1024. */
  readonly cpuShares?: number;
  /** CPUs that it may run on, as a list such as `0-2,4`. */
  readonly cpuset?: string;
  /** Memory limit; beyond it the kernel kills a process of the container. */
  readonly memory?: Size;
  /** Memory that the kernel tries to keep for it when the host runs short. */
  readonly memoryReservation?: Size;
  /** Limit of memory and swap together; needs `memory`. */
  readonly memorySwap?: Size;
  /** Highest number of processes and threads. */
  readonly pidsMax?: number;
}

/** A device of the host given to a container. */
export interface DeviceProps {
  readonly path: string;
  /**
   * Its path in the container.
   *
   * @defaultValue - the same
   */
  readonly containerPath?: string;
  /**
   * What may be done with it.
   *
   * @defaultValue rwm
   */
  readonly permissions?: string;
}

/** What is done in a container that runs before it is asked to end. */
export interface DrainProps {
  /** Command run in the container. The stop continues even if it fails. */
  readonly command?: readonly string[];
  /**
   * Time to wait after the command.
   *
   * @defaultValue - none
   */
  readonly wait?: Duration;
  /**
   * Most time that both may take together. Then the stop continues.
   *
   * @defaultValue 30 seconds
   */
  readonly timeout?: Duration;
}

/** Properties of a container. Wherever there is no default, the image or the engine decides. */
export interface ContainerProps {
  /** Image as `repository[:tag][@digest]`, or a construct that says where its bytes come from. */
  readonly image: IImage | string;
  /** Replaces the image's entry point; the image's command is dropped with it. */
  readonly command?: readonly string[];
  /** Arguments after the entry point, in place of the image's command. */
  readonly args?: readonly string[];
  /** Environment, added to the image's. */
  readonly env?: Readonly<Record<string, string | Secret>>;
  /** Working directory of the process. */
  readonly workingDir?: string;
  /** User and group, as `user`, `uid`, `user:group` or `uid:gid`. */
  readonly user?: string;
  /** Additional groups, by name or number. */
  readonly additionalGroups?: readonly string[];
  /** Where it sees volumes. */
  readonly mounts?: readonly MountProps[];
  /**
   * Files that it sees and cannot write to, by their path in it: configuration, and secrets, which are
   * kept in the host's memory.
   */
  readonly files?: Readonly<Record<string, FileLike>>;
  /** @defaultValue false */
  readonly readOnlyRootFilesystem?: boolean;
  /**
   * Size of /dev/shm.
   *
   * @defaultValue 64 MiB
   */
  readonly shm?: Size;
  readonly resources?: ResourcesProps;
  /** Limits of the process, by name: `{ nofile: { soft: 1024, hard: 4096 } }`. */
  readonly ulimits?: NonNullable<ContainerSpec["ulimits"]>;
  /** How readily the kernel kills it when the host's memory ends: -1000 to 1000. */
  readonly oomScoreAdj?: number;
  /** Privileges added to the default profile, or removed from it. */
  readonly security?: Security;
  readonly devices?: readonly DeviceProps[];
  /**
   * Whether it runs to its end, with exit code 0, before containers that are no init containers start.
   * Several run one after another: as they depend on each other, else by name.
   *
   * @defaultValue false
   */
  readonly init?: boolean;
  /**
   * Containers of the pod that it starts after, by name, and what has to be true of each:
   * `{ db: "healthy", migrate: "completed" }`.
   */
  readonly dependsOn?: Readonly<Record<string, Condition>>;
  /**
   * Time within which it must exit, if others wait for that.
   *
   * @defaultValue 10 minutes
   */
  readonly completeWithin?: Duration;
  /** How to find out that it does its work; a replacement is kept only when it passes. */
  readonly health?: Probe;
  /** Where its output goes. */
  readonly logging?: Logging;
  /** What is done before it is asked to end: a load balancer told, clients given time to leave. */
  readonly drain?: DrainProps;
  /**
   * Signal that asks it to end.
   *
   * @defaultValue - the image's, else SIGTERM
   */
  readonly stopSignal?: string;
  /**
   * Time between that signal and SIGKILL.
   *
   * @defaultValue 10 seconds
   */
  readonly stopGracePeriod?: Duration;
}
