import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const VERSION = "3.2.4";
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * Puts the stand-in for hashicorp/null into a filesystem mirror.
 *
 * @returns The environment in which terraform uses that mirror and nothing else.
 */
export async function nullProviderMirror(folder: string): Promise<NodeJS.ProcessEnv> {
  const mirror = join(folder, "mirror");
  const platform = `${process.platform}_${ARCHITECTURES[process.arch] ?? process.arch}`;
  const home = join(mirror, "registry.terraform.io/hashicorp/null", VERSION, platform);
  mkdirSync(home, { recursive: true });
  const program = join(home, `terraform-provider-null_v${VERSION}`);
  await build({
    entryPoints: [fileURLToPath(new URL("./null-provider/main.ts", import.meta.url))],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    banner: { js: "#!/usr/bin/env node" },
    logLevel: "error",
  });
  chmodSync(program, 0o755);
  const config = join(folder, "terraform.rc");
  writeFileSync(
    config,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`,
  );
  return {
    TF_CLI_CONFIG_FILE: config,
    TF_DISABLE_PLUGIN_TLS: "1",
    CHECKPOINT_DISABLE: "1",
    // the provider's sockets go with the folder, also where terraform kills it
    TMPDIR: folder,
  };
}
