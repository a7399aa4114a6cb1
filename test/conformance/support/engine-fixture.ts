import type { Engine, ImageContent } from "../../../src/engine/index.ts";
import type { Host } from "../../../src/host/index.ts";
import type { HostDirectories, PodIdentity } from "../../../src/model/index.ts";

/** What an engine's world can show; what it cannot is skipped, with the reason in the title. */
export interface EngineFeatures {
  /** Processes run under a kernel, which holds them to their limits. */
  readonly kernel: boolean;
  /** They are kept apart from the host: capabilities, seccomp, masks and devices can be seen from inside. */
  readonly confined: boolean;
  /** Images have files of their own: names of users are looked up in them. */
  readonly imageFiles: boolean;
  /** An exited pod starts again with what it wrote; else it is made anew. */
  readonly keepsLayer: boolean;
  /** The image's file system can be made read-only. */
  readonly readOnlyRoot: boolean;
  /** A soft limit below the hard one reaches the process. */
  readonly softLimits: boolean;
  /** Limits of a process can be changed of a generation that is there; else they need a new one. */
  readonly changesUlimits: boolean;
  /** Another name of its image can be noted of a generation that is there. */
  readonly renamesImages: boolean;
  /** It starts again by itself what its restart policy wants. */
  readonly restarts: boolean;
  /** It tells what happens to pods. */
  readonly events: boolean;
}

/** An engine on a host where it was never used. */
export interface OpenedEngine {
  readonly engine: Engine;
  readonly host: Host;
  readonly directories: HostDirectories;
  /** Ends a container's processes without the engine's port knowing. */
  killContainer(identity: PodIdentity, container: string): Promise<void>;
  /** The page that answers on a port of the host; undefined when none does. */
  page(port: number): Promise<string | undefined>;
  /** Breaks what was made of a pod's network. */
  breakNetwork(identity: PodIdentity): Promise<void>;
  /** Puts an image there that is somebody else's. */
  addForeignImage(name: string): Promise<void>;
  /** Names of everything of this engine that is not a pod or image of Stowage, somebody else's objects included. */
  traces(): Promise<readonly string[]>;
  /** Takes everything away, and the engine's handle with it. */
  close(): Promise<void>;
}

/** What the suite needs of an engine. */
export interface EngineFixture {
  readonly name: string;
  readonly features: EngineFeatures;
  open(): Promise<OpenedEngine>;
  /**
   * A small image: busybox's programs, `/bin/sh` as its command, `IMAGE_ONLY=image` and `BOTH=image`
   * in its environment. `other` differs in its bytes and starts in `/tmp`.
   */
  image(kind: "base" | "other"): Promise<ImageContent>;
  /** Titles of cases that fail, and why: a repaired engine turns them red. */
  readonly knownFailing?: Readonly<Record<string, string>>;
}
