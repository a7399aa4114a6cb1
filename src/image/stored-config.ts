import * as z from "zod";
import { RunConfig } from "./documents.ts";

/** As much as is read of the config of an image that an engine has in its store. */
export const StoredConfig = z.lazy(() =>
  z.object({
    config: RunConfig,
    rootfs: z.object({ diff_ids: z.array(z.string()) }),
  }),
);
/** See the schema of the same name. */
export type StoredConfig = z.infer<typeof StoredConfig>;

/** What a config says of how to run its image; what it leaves out is undefined. */
export function storedDefaults({ config }: StoredConfig) {
  return {
    env: config?.Env ?? undefined,
    entrypoint: config?.Entrypoint ?? undefined,
    cmd: config?.Cmd ?? undefined,
    workingDir: config?.WorkingDir ?? undefined,
    user: config?.User ?? undefined,
    stopSignal: config?.StopSignal ?? undefined,
  };
}
