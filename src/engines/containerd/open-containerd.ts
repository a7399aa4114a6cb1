import type * as z from "zod";
import type { Engine } from "../../engine/index.ts";
import type { Host } from "../../host/index.ts";
import type { ContainerdConfig, HostDirectories } from "../../model/index.ts";
import { ContainerdEngine } from "./containerd-engine.ts";
import { LazyDaemon } from "./daemon.ts";

/**
 * The containerd of a host. Nothing is dialled before the first call; a daemon that was not there is
 * tried again by the next.
 */
export async function openContainerd(
  config: z.infer<typeof ContainerdConfig>,
  host: Host,
  directories: HostDirectories,
): Promise<Engine> {
  return new ContainerdEngine(new LazyDaemon({ config, host, directories }));
}
