import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { deriveVocabulary } from "./derive-vocabulary.ts";

/** Builds the double of rkt into a folder. @returns the program */
export async function buildRktDouble(folder: string): Promise<string> {
  await build({
    entryPoints: {
      main: join(import.meta.dirname, "main.ts"),
      init: join(import.meta.dirname, "host-init.ts"),
    },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    define: { VOCABULARY: JSON.stringify(deriveVocabulary()) },
  });
  const program = join(folder, "rkt");
  const launcher = readFileSync(join(import.meta.dirname, "launcher.sh"), "utf8");
  writeFileSync(program, launcher.replace("@NODE@", `'${process.execPath}'`));
  chmodSync(program, 0o755);
  return program;
}
