import type * as z from "zod";
import { type Host, ProgramVersion } from "../../host/index.ts";
import { Gate } from "../../internal/index.ts";
import type { HostDirectories, RktConfig } from "../../model/index.ts";
import { RktCli } from "./cli/rkt-cli.ts";
import { DEFAULT_STAGE1, flavorOf } from "./flavor.ts";
import { RktLayout } from "./layout.ts";
import { RktEngine } from "./rkt-engine.ts";

/** The rkt of a host. Nothing is run before the first call. */
export async function openRkt(
  config: z.infer<typeof RktConfig>,
  host: Host,
  directories: HostDirectories,
): Promise<RktEngine> {
  const { dir = "/var/lib/rkt", stage1 = DEFAULT_STAGE1 } = config;
  const layout = new RktLayout(directories, dir);
  const cli = new RktCli(host, { ...config, dir, stage1 });
  return new RktEngine({
    host,
    directories,
    layout,
    cli,
    version: new ProgramVersion(host, {
      program: cli.program,
      file: layout.versionFile,
      ask: async (signal) => await cli.version(signal),
    }),
    flavor: flavorOf(stage1),
    images: new Gate(),
  });
}
