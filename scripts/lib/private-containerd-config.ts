import { join } from "node:path";

/**
 * Plugins that a private daemon must not load: Kubernetes' CRI (all its names from 1.6 to 2.x), what
 * opens a socket that is shared by the machine, and snapshotters that only log that they cannot work.
 */
const DISABLED_PLUGINS = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.cri.v1.images",
  "io.containerd.cri.v1.runtime",
  "io.containerd.podsandbox.controller.v1.podsandbox",
  "io.containerd.nri.v1.nri",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
];

/** The kernel's limit is 108 bytes with the final NUL; the daemon adds `.ttrpc` to the name. */
export const SOCKET_PATH_MAX_BYTES = 100;

/** Where a private containerd keeps what, all of it in one folder. */
export interface PrivateContainerdPaths {
  readonly config: string;
  readonly root: string;
  readonly state: string;
  readonly address: string;
  readonly log: string;
  readonly pidFile: string;
  readonly ownerFile: string;
}

/** The paths of the private containerd in `dir`. */
export function privateContainerdPaths(dir: string): PrivateContainerdPaths {
  return {
    config: join(dir, "config.toml"),
    root: join(dir, "root"),
    state: join(dir, "state"),
    address: join(dir, "c.sock"),
    log: join(dir, "containerd.log"),
    pidFile: join(dir, "containerd.pid"),
    ownerFile: join(dir, "owner"),
  };
}

/** Configuration version 2, which 1.6, 1.7 and 2.x all read. */
export function privateContainerdConfig(paths: PrivateContainerdPaths): string {
  return `version = 2
root = ${JSON.stringify(paths.root)}
state = ${JSON.stringify(paths.state)}
disabled_plugins = ${JSON.stringify(DISABLED_PLUGINS)}

[grpc]
  address = ${JSON.stringify(paths.address)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${JSON.stringify(join(paths.root, "opt"))}
`;
}
