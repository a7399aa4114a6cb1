import type * as z from "zod";
import type { PodmanConfig } from "../../model/index.ts";

/** How a host's declaration says to use podman. */
export type PodmanSettings = Omit<z.infer<typeof PodmanConfig>, "kind">;

/** Flags that every command begins with: the store is distinguished by all three directories. */
export function globalArguments(settings: PodmanSettings): readonly string[] {
  const flags = {
    "--root": settings.root,
    "--runroot": settings.runRoot,
    "--tmpdir": settings.tmpDir,
    "--network-config-dir": settings.networkConfigDir,
    "--runtime": settings.runtime,
  };
  return Object.entries(flags).flatMap(([flag, value]) =>
    value === undefined ? [] : [flag, value],
  );
}
