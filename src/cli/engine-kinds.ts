import type { Engine } from "../engine/index.ts";
import type { Host } from "../host/index.ts";
import type { CapabilityTable, EngineConfig, EngineKind, HostDirectories } from "../model/index.ts";

type ConfigOf<K extends EngineKind> = Extract<EngineConfig, { kind: K }>;

/** A program that an engine needs on its host. */
export interface NeededProgram {
  readonly name: string;
  /** Debian's package, where it is not called as the program is; `none`: it has none. */
  readonly package?: string;
  /** What it is needed for, where the engine can do without. */
  readonly purpose?: string;
}

/** What the command line has to know of a kind of engine. */
interface EngineEntry<K extends EngineKind> {
  /** Loads its adapter, for a host that it runs on; absent: it brings its own host along. */
  readonly open?: (
    config: ConfigOf<K>,
    host: Host,
    directories: HostDirectories,
  ) => Promise<Engine>;
  /** What engines of the kind can do, whether or not a host has one; loads the adapter. */
  readonly capabilities: () => Promise<CapabilityTable>;
  readonly programs: readonly NeededProgram[];
  /** What a user who is not root can do with their own; absent: nothing. */
  readonly withoutRoot?: string;
  /** Versions that Stowage is made for. */
  readonly versions?: { readonly pattern: RegExp; readonly words: string };
  /** Field of its configuration that `--engine KIND:PATH` sets. */
  readonly place: string;
}

/** What networks of a fleet are made with, whatever the engine. */
const NETWORK_PROGRAMS: readonly NeededProgram[] = [
  { name: "ip", package: "iproute2" },
  { name: "iptables-restore", package: "iptables" },
  { name: "nsenter", package: "util-linux" },
].map((needed) => ({ ...needed, purpose: "networks of the fleet are made with it" }));

/** Every kind of engine. Beside this table the model's configuration and the constructs name one. */
const ENGINE_ENTRIES: { readonly [K in EngineKind]: EngineEntry<K> } = {
  containerd: {
    open: async (...where) =>
      await (await import("../engines/containerd/index.ts")).openContainerd(...where),
    capabilities: async () =>
      (await import("../engines/containerd/index.ts")).CONTAINERD_CAPABILITIES,
    programs: [
      { name: "containerd-shim-runc-v2", package: "containerd" },
      { name: "runc" },
      ...NETWORK_PROGRAMS,
    ],
    versions: { pattern: /^v?(?:1\.[67]|2\.\d+)\./, words: "1.6, 1.7 or 2.x" },
    place: "socket",
  },
  podman: {
    open: async (...where) =>
      await (await import("../engines/podman/index.ts")).openPodman(...where),
    capabilities: async () =>
      (await import("../engines/podman/index.ts")).podmanCapabilities("4.3"),
    programs: [
      { name: "podman" },
      { name: "conmon" },
      {
        name: "catatonit",
        purpose: "podman holds pods of several containers together with it",
      },
      ...NETWORK_PROGRAMS,
    ],
    withoutRoot:
      "the podman of that user is driven, with a stateDir and a runDir that the user may write; networks of the fleet, and limits on cgroups of version 1, need root",
    versions: { pattern: /^(?:4\.[3-9]|5\.\d+)\./, words: "4.3 to 5.x" },
    place: "root",
  },
  rkt: {
    open: async (...where) => await (await import("../engines/rkt/index.ts")).openRkt(...where),
    capabilities: async () => (await import("../engines/rkt/index.ts")).RKT_CAPABILITIES.fly,
    programs: [
      { name: "rkt", package: "none" },
      ...["setsid", "unshare", "nsenter", "setpriv", "prlimit", "mountpoint"].map((name) => ({
        name,
        package: "util-linux",
      })),
      { name: "ip", package: "iproute2" },
      ...NETWORK_PROGRAMS.filter(({ name }) => name === "iptables-restore"),
    ],
    // the last one: rkt ended in 2020
    versions: { pattern: /^1\.30\./, words: "1.30" },
    place: "dir",
  },
  sim: {
    capabilities: async () => (await import("../engines/sim/index.ts")).simCapabilities(false),
    programs: [],
    place: "file",
  },
};

/** What is known of a kind; the configuration of an engine has the same one. */
export function engineEntry<K extends EngineKind>(kind: K): EngineEntry<K> {
  return ENGINE_ENTRIES[kind];
}
