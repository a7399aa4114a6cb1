import type { BlobDescriptor, ImageDefaults } from "../../engine/index.ts";
import type { AppliedImage, ContainerSpec, PodIdentity, PodSpec } from "../../model/index.ts";
import type { SimLog } from "./sim-log.ts";

/** Version of the form in which a machine is kept in a file. */
export const STATE_VERSION = 2;

/** A file of the machine. */
export interface SimFile {
  readonly text: string;
  /** Its bytes in base64, where they are no text. */
  readonly base64?: string;
  readonly mode: number;
  /** Absent: root's. */
  readonly uid?: number;
  readonly gid?: number;
  /** Why it cannot be read, if it cannot. */
  readonly unreadable?: string;
}

/** A directory of the machine. */
export interface SimDirectory {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Where a process of the toy shell is: plain data, so that it outlives who started it. */
export interface ProcessState {
  readonly argv: readonly string[];
  /** Scripts that are being run, innermost last; one without source is argv itself. */
  frames: { readonly source?: string; readonly nested?: boolean; pc: number }[];
  status: number;
  /** Its own time: it continues when the machine's clock gets there. */
  wakeAtMs: number;
  /** It is in `wait`, which a signal ends. */
  waiting: boolean;
  cwd: string;
  vars: Record<string, string>;
  /** When its background commands end. */
  background: number[];
  /** Scripts by signal; an empty one ignores it. */
  traps: Record<string, string>;
  pending: string[];
  /** Output without its line end yet, by stream. */
  partial: { out: string; err: string };
}

/** One container of a generation. */
export interface SimContainer {
  readonly id: string;
  state: "prepared" | "running" | "paused" | "exited";
  /** What is in force; the pod has what was asked for last. */
  spec: ContainerSpec;
  image: AppliedImage;
  readonly defaults: ImageDefaults;
  /** With secrets in clear, when it has any. */
  environment?: Readonly<Record<string, string>>;
  pid?: number;
  exitCode?: number;
  exitedAt?: string;
  /** Absent while it runs: a daemon, which does nothing but listen and obey signals. */
  process?: ProcessState;
  /** Ports that it listens on, as `80/tcp`. */
  listens?: readonly string[];
  /** Files it made, by path. */
  layer?: Record<string, string>;
  log?: SimLog;
  restarts?: number;
  restartAtMs?: number;
  altered?: string;
}

/** One generation of a pod. */
export interface SimPod {
  readonly identity: PodIdentity;
  spec: PodSpec;
  recordDigest: string;
  /** False until prepare completed, and once remove began. */
  complete: boolean;
  readonly containers: Record<string, SimContainer>;
  readonly volumeDirs: Readonly<Record<string, string>>;
  /** Files of tmpfs volumes, by volume and path. */
  tmpfs?: Record<string, Record<string, string>>;
  /** In a network of the fleet: what it has there from its start to its stop. */
  network?: { readonly address: string; readonly detached?: string; readonly aside?: boolean };
  /** Its engine starts nothing again by itself. */
  readonly runOnce?: boolean;
  /** Somebody asked it to stop: no policy starts it again. */
  stopped?: boolean;
}

/** An image in the engine. */
export interface SimImage {
  readonly digest: string;
  readonly configDigest?: string;
  readonly blobs: readonly string[];
  readonly sizeBytes: number;
  readonly defaults: ImageDefaults;
  /** Whether Stowage made its record. */
  readonly ours: boolean;
  /** Fleets that use it, as `owner/fleet`. */
  readonly fleets: readonly string[];
  /** What it is made of; absent where its bytes were never seen. */
  readonly parts?: {
    readonly manifest: BlobDescriptor;
    readonly config: BlobDescriptor;
    readonly layers: readonly BlobDescriptor[];
    readonly diffIds: readonly string[];
  };
}

/** What one engine of the machine keeps. */
export interface SimStore {
  /** By object name. */
  readonly pods: Record<string, SimPod>;
  readonly images: Record<string, SimImage>;
  /** Small blobs of its images, in base64, by digest. */
  bytes?: Record<string, string>;
  /** What it is, by name. */
  readonly leftovers: Record<string, string>;
  /** Why there is no such engine on the machine any more. */
  uninstalled?: string;
}

/** Somebody else who listens on a port. */
export interface SimListener {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  readonly pid: number;
  readonly name: string;
}

/**
 * Everything that a simulated machine is: plain data. To an engine, what an engine keeps is its own
 * (see engine-view.ts).
 */
export interface MachineState extends SimStore {
  readonly version: typeof STATE_VERSION;
  bootId: string;
  clock: { offsetMs: number; virtualMs?: number };
  nextPid: number;
  readonly files: Record<string, SimFile>;
  readonly directories: Record<string, SimDirectory>;
  /** Symbolic links: where each leads. */
  readonly links: Record<string, string>;
  /** What further engines of the machine keep, by their `store`. */
  stores?: Record<string, SimStore>;
  listeners: SimListener[];
  /** Why a probe fails, by port or by `container id`. */
  readonly health: Record<string, string>;
}

const FIRST_DIRECTORIES = ["/", "/etc", "/run", "/srv", "/tmp", "/var", "/var/lib"];
const ROOT_DIRECTORY: SimDirectory = { mode: 0o755, uid: 0, gid: 0 };

/** A machine on which nothing was ever done. */
export function newMachineState(bootId: string, clock: MachineState["clock"]): MachineState {
  return {
    version: STATE_VERSION,
    bootId,
    clock,
    nextPid: 1000,
    files: {},
    directories: Object.fromEntries(FIRST_DIRECTORIES.map((path) => [path, ROOT_DIRECTORY])),
    links: {},
    pods: {},
    images: {},
    leftovers: {},
    listeners: [],
    health: {},
  };
}
