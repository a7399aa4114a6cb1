import type * as z from "zod";
import type { Engine } from "../../engine/index.ts";
import type { Host } from "../../host/index.ts";
import type { HostDirectories, PodmanConfig } from "../../model/index.ts";
import { openContext, type PodmanContext } from "./context.ts";
import { PodmanEngine } from "./podman-engine.ts";

/** The podman of a host. Nothing is run before the first call. */
export async function openPodman(
  config: z.infer<typeof PodmanConfig>,
  host: Host,
  directories: HostDirectories,
): Promise<Engine> {
  const { kind: _, ...settings } = config;
  let context: Promise<PodmanContext> | undefined;
  return new PodmanEngine(async () => {
    context ??= openContext(settings, host, directories);
    context.catch(() => {
      context = undefined;
    });
    return await context;
  });
}
