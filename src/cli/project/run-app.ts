import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod";
import { StowageError } from "../../errors/index.ts";
import type { CommandContext } from "../context.ts";
import { printableLines } from "../text/printable.ts";
import { type ProjectConfig, readProjectConfig } from "./project-config.ts";
import { readJsonFile } from "./read-json.ts";

const KEPT_OUTPUT = 64 * 1024;

/** What cdktf writes of a synthesis. */
const SynthManifest = z.looseObject({
  stacks: z.record(z.string(), z.looseObject({ workingDirectory: z.string() })),
});

/** Where the stacks of an app were synthesized: directory by stack. */
export type Stacks = ReadonlyMap<string, string>;

/**
 * Runs the `app` of cdktf.json, which writes cdktf.out.
 *
 * @param options.verbose shows what it prints; else that is shown only when it fails
 * @throws StowageError `failed_precondition` when it fails or synthesizes nothing
 */
export async function runApp(
  context: CommandContext,
  options: { readonly verbose: boolean },
): Promise<Stacks> {
  const config = await readProjectConfig(context.cwd);
  const outdir = resolve(context.cwd, config.output ?? "cdktf.out");
  const manifest = join(outdir, "manifest.json");
  const before = await stampOf(manifest);
  await runCommand(config, outdir, context, options.verbose);
  // an earlier synthesis is left where it is: another command of the project may be about to read it
  if ((await stampOf(manifest)) === before) {
    throw new StowageError(
      `Cannot read synthesis "${manifest}": the app (${config.app}) ended without app.synth(); call it at its end`,
      { code: "failed_precondition" },
    );
  }
  const json = await readJsonFile(manifest, "synthesis", "run the command again");
  const result = SynthManifest.safeParse(json);
  if (result.success) {
    const stacks = Object.entries(result.data.stacks);
    return new Map(
      stacks.map(([name, { workingDirectory }]) => [name, join(outdir, workingDirectory)]),
    );
  }
  throw new StowageError(
    `Cannot read synthesis "${manifest}": cdktf wrote it in an unknown format; use cdktf 0.21`,
    {
      code: "internal",
      cause: result.error,
    },
  );
}

/** What distinguishes one version of a file from another; undefined if the file does not exist. */
async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { ino, ctimeNs } = await stat(path, { bigint: true });
    return `${ino} ${ctimeNs}`;
  } catch {
    return undefined;
  }
}

async function runCommand(
  config: ProjectConfig,
  outdir: string,
  context: CommandContext,
  verbose: boolean,
): Promise<void> {
  const { outcome, output } = await spawnApp(config, outdir, context, verbose);
  if (outcome === "exit code 0") return;
  const said =
    output.trim() === "" ? "it said nothing" : `it said:\n${printableLines(output.trimEnd())}`;
  throw new StowageError(
    `Cannot run the app "${config.app}": it ended with ${outcome}; ${said}${missingPackage(output)}`,
    { code: "failed_precondition" },
  );
}

/** What a project says that was never installed, as after a clone of it. */
function missingPackage(output: string): string {
  const name = /Cannot find (?:package|module) '([^'./][^']*)'/.exec(output)?.[1];
  if (name === undefined) return "";
  return `\nThe package ${name} is not installed in the project: run npm install there first`;
}

function spawnApp(
  config: ProjectConfig,
  outdir: string,
  context: CommandContext,
  verbose: boolean,
): Promise<{ readonly outcome: string; readonly output: string }> {
  return new Promise((settle, reject) => {
    const child = spawn(config.app, {
      cwd: context.cwd,
      env: { ...context.env, ...appEnvironment(config, outdir) },
      shell: true,
      stdio: ["ignore", "pipe", "pipe"],
      signal: context.abort,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        output = (output + text).slice(-KEPT_OUTPUT);
        if (verbose) context.stderr.write(text);
      });
    }
    child.once("error", reject);
    child.once("close", (code, signal) =>
      settle({ outcome: signal ?? `exit code ${code}`, output }),
    );
  });
}

/** What `cdktf synth` sets for an app. */
function appEnvironment(config: ProjectConfig, outdir: string): Readonly<Record<string, string>> {
  return {
    CDKTF_OUTDIR: outdir,
    CDKTF_CONTEXT_JSON: JSON.stringify({
      ...(config.projectId === undefined ? {} : { projectId: config.projectId }),
      ...config.context,
    }),
  };
}
