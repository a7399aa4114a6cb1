import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { type BuildOptions, build as bundle } from "esbuild";
import { StowageError } from "../../src/errors/index.ts";
import { runCommand } from "./run-command.ts";

const LIBRARY_ENTRY = "src/index.ts";
const CLI_ENTRY = "src/cli/main.ts";
const LAUNCHER_ENTRY = "src/cli/launch.ts";
const SHEBANG = "#!/usr/bin/env node";

/** Packages that a user's app loads as well. */
const EXTERNAL = ["cdktf", "constructs", "@cdktf/provider-null"];
/** Packages with a file of their own: half of all code, which few commands need. */
const OWN_FILES = new Map([
  ["@grpc/grpc-js", "grpc.cjs"],
  ["undici", "undici.cjs"],
]);

/** Builds the library (`dist/index.js` and its declarations) and the command line into dist/. */
export async function build(root: string): Promise<void> {
  requireEntries(root, [LIBRARY_ENTRY, CLI_ENTRY]);
  rmSync(join(root, "dist"), { recursive: true, force: true });
  await buildLibrary(root);
  await buildCli(root);
}

/**
 * Bundles the command line: `dist/cli/stowage.cjs` is the program, whose modules run when they are
 * first needed, `dist/cli/main.cjs` compiles it from the code cache beside it and runs it. What
 * few commands need lies in files of its own beside them.
 *
 * @param outdir where to; a test builds one of its own, which no other build takes away
 * @throws StowageError `not_found` when its entry is missing, `failed_precondition` when its code has errors.
 */
export async function buildCli(root: string, outdir = join(root, "dist/cli")): Promise<void> {
  requireEntries(root, [CLI_ENTRY, LAUNCHER_ENTRY]);
  rmSync(outdir, { recursive: true, force: true });
  const program = join(outdir, "stowage.cjs");
  const ownFiles = [...OWN_FILES].map(([name, file]): [string, string] => [name, `./${file}`]);
  await bundleProgramFile(root, program, {
    entryPoints: [CLI_ENTRY],
    alias: Object.fromEntries(ownFiles),
    external: [...EXTERNAL, ...ownFiles.map(([, file]) => file)],
  });
  for (const [name, file] of OWN_FILES) {
    const contents = `module.exports = require(${JSON.stringify(name)});`;
    const stdin = { contents, resolveDir: root };
    await bundleProgramFile(root, join(outdir, file), { stdin });
  }
  const main = join(outdir, "main.cjs");
  await bundleFile(root, main, {
    entryPoints: [LAUNCHER_ENTRY],
    format: "cjs",
    banner: { js: SHEBANG },
    define: { "import.meta.dirname": "__dirname" },
  });
  chmodSync(main, 0o755);
  await writeCodeCache(root, program);
}

/** A file as `compileProgram` reads it: one function. Where all of it comes from lies beside it, for `--debug`. */
const PROGRAM_FILE: BuildOptions = {
  format: "cjs",
  // V8 forgets whose a script of a code cache is, and import() with it: require() stands for it
  supported: { "dynamic-import": false },
  // read as such
  charset: "ascii",
  minify: true,
  sourcemap: "external",
  sourcesContent: false,
  banner: { js: "(function (require, module) {" },
  footer: { js: "})" },
};

async function bundleProgramFile(
  root: string,
  outfile: string,
  options: BuildOptions,
): Promise<void> {
  await bundleFile(root, outfile, { ...PROGRAM_FILE, ...options });
  const file = `${outfile}.map`;
  const map = JSON.parse(readFileSync(file, "utf8")) as { sources: readonly string[] };
  // as they are called in the package, wherever it lies
  const sources = map.sources.map((source) => relative(root, resolve(dirname(outfile), source)));
  writeFileSync(file, JSON.stringify({ ...map, sources }));
}

async function bundleFile(root: string, outfile: string, options: BuildOptions): Promise<void> {
  await bundle({
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    external: EXTERNAL,
    legalComments: "none",
    logLevel: "warning",
    ...options,
  }).catch((cause: unknown) => {
    throw new StowageError("Cannot build the command line: esbuild found errors; see above", {
      code: "failed_precondition",
      cause,
    });
  });
}

/** Runs the program once in a process of its own, so that what most commands use is compiled. */
async function writeCodeCache(root: string, program: string): Promise<void> {
  const { openExercise } = await import("./code-cache/exercise.ts");
  const scratch = mkdtempSync(join(tmpdir(), "stw-build-"));
  const script = join(root, "scripts/lib/code-cache/write.ts");
  try {
    await using exercise = await openExercise(scratch);
    const words = ["--import", "tsx", script, program, "plan", "--file", exercise.manifest];
    const { exitCode, output } = await runCommand(process.execPath, words, {
      cwd: root,
      output: "capture",
    });
    if (exitCode === 0) return;
    throw new StowageError(`Cannot compile the command line: ${output}`, {
      code: "failed_precondition",
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
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
