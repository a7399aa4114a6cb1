import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build as bundle } from "esbuild";
import { StowageError } from "../../src/errors/index.ts";
import { runCommand } from "./run-command.ts";

const LIBRARY_ENTRY = "src/index.ts";
const CLI_ENTRY = "src/cli/main.ts";
const SHEBANG = "#!/usr/bin/env node\n";

/** CommonJS packages in the bundle, such as @grpc/grpc-js, call `require` for Node's own modules. */
const REQUIRE_BANNER =
  'import { createRequire as stowageCreateRequire } from "node:module";\n' +
  "const require = stowageCreateRequire(import.meta.url);";

/** Builds the library (`dist/index.js` and its declarations) and the command line into dist/. */
export async function build(root: string): Promise<void> {
  requireEntries(root, [LIBRARY_ENTRY, CLI_ENTRY]);
  rmSync(join(root, "dist"), { recursive: true, force: true });
  await buildLibrary(root);
  await buildCli(root);
}

/**
 * Bundles the command line into `dist/cli/main.js`, each dynamic import a chunk of its own, so that a
 * command loads only what it needs. Packages that a user's app loads as well stay outside.
 *
 * @param outdir where to; a test builds one of its own, which no other build takes away
 * @throws StowageError `not_found` when its entry is missing, `failed_precondition` when its code has errors.
 */
export async function buildCli(root: string, outdir = join(root, "dist/cli")): Promise<void> {
  requireEntries(root, [CLI_ENTRY]);
  rmSync(outdir, { recursive: true, force: true });
  await bundle({
    absWorkingDir: root,
    entryPoints: [CLI_ENTRY],
    outdir,
    entryNames: "[name]",
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["cdktf", "constructs", "@cdktf/provider-null"],
    banner: { js: REQUIRE_BANNER },
    legalComments: "none",
    logLevel: "warning",
  }).catch((cause: unknown) => {
    throw new StowageError("Cannot build the command line: esbuild found errors; see above", {
      code: "failed_precondition",
      cause,
    });
  });
  const main = join(outdir, "main.js");
  const text = readFileSync(main, "utf8");
  if (!text.startsWith("#!")) writeFileSync(main, `${SHEBANG}${text}`);
  chmodSync(main, 0o755);
}

async function buildLibrary(root: string): Promise<void> {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { exitCode } = await runCommand(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
    cwd: root,
  });
  if (exitCode === 0) return;
  throw new StowageError("Cannot build the library: tsc found errors; see above", {
    code: "failed_precondition",
  });
}

function requireEntries(root: string, entries: readonly string[]): void {
  const missing = entries.filter((entry) => !existsSync(join(root, entry)));
  if (missing.length === 0) return;
  throw new StowageError(`Cannot build stowage: ${missing.join(" and ")} not found`, {
    code: "not_found",
  });
}
