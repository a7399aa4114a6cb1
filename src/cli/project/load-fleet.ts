import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Diagnostic, DiagnosticsError, StowageError } from "../../errors/index.ts";
import {
  digestOf,
  type FleetManifest,
  type Json,
  readFleet,
  validateFleet,
} from "../../model/index.ts";
import { FLEET_LOCK_FILE } from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { CommandContext } from "../context.ts";
import { didYouMean } from "../text/suggest.ts";
import { readDeclarationFile } from "./read-json.ts";

/** Name of the manifest that the constructs write. */
const FLEET_FILE = "fleet.json";

/** A fleet's declaration and where it was found. */
export interface LoadedFleet {
  readonly manifest: FleetManifest;
  readonly path: string;
  /** Directory that relative paths of the manifest start from. */
  readonly baseDir: string;
  /** Beside cdktf.json, or beside the manifest of `-f`. */
  readonly lockFile: string;
  readonly warnings: readonly Diagnostic[];
}

/**
 * The fleet that a command is about: the manifest of `-f`, else what the app of cdktf.json declares.
 *
 * @throws DiagnosticsError when it is not valid, with everything that is wrong
 */
export async function loadFleet(args: Arguments, context: CommandContext): Promise<LoadedFleet> {
  const file = args.text("file");
  const path = file === undefined ? await synthesized(args, context) : resolve(context.cwd, file);
  const lockFile = join(file === undefined ? context.cwd : dirname(path), FLEET_LOCK_FILE);
  return { ...(await readFleetAt(path, args)), lockFile };
}

/**
 * The fleet of a manifest.
 *
 * @throws DiagnosticsError when it is not valid, with everything that is wrong
 */
export async function readFleetAt(
  path: string,
  args: Arguments,
): Promise<Omit<LoadedFleet, "lockFile">> {
  const json = await readDeclarationFile(
    path,
    "manifest",
    "name the file that holds it, or leave -f out to run the app",
  );
  const reading = readFleet(json);
  checkDigest(args.text("manifest-digest"), json, path);
  const what = `Manifest "${path}"`;
  if (reading.kind === "mistakes") throw new DiagnosticsError(what, reading.diagnostics);
  const { manifest } = reading;
  const diagnostics = validateFleet(manifest);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new DiagnosticsError(what, errors);
  checkFleetName(args.text("fleet"), manifest, path);
  return {
    manifest,
    path,
    baseDir: dirname(path),
    warnings: diagnostics.filter(({ severity }) => severity === "warning"),
  };
}

/** Runs the app and names the manifests that it wrote, by fleet. */
export async function synthesize(
  args: Arguments,
  context: CommandContext,
): Promise<ReadonlyMap<string, string>> {
  const { runApp } = await import("./run-app.ts");
  const stacks = await runApp(context, { verbose: args.flag("verbose") });
  const files = [...stacks].map(
    ([name, directory]) => [name, join(directory, FLEET_FILE)] as const,
  );
  const fleets = new Map(files.filter(([, file]) => existsSync(file)));
  if (fleets.size > 0) return fleets;
  throw new StowageError(
    `Cannot find a fleet in "${context.cwd}": the app declares ${stacks.size === 0 ? "no stack" : "no stack that is a Fleet"}; add new Fleet(app, "NAME")`,
    { code: "not_found" },
  );
}

async function synthesized(args: Arguments, context: CommandContext): Promise<string> {
  const fleets = await synthesize(args, context);
  const wanted = args.text("fleet");
  const names = [...fleets.keys()];
  const found =
    wanted === undefined && names.length === 1
      ? fleets.get(names[0] ?? "")
      : fleets.get(wanted ?? "");
  if (found !== undefined) return found;
  if (wanted === undefined) {
    throw new StowageError(
      `Cannot choose a fleet: the app declares ${names.join(", ")}; name one with --fleet`,
      { code: "invalid_argument" },
    );
  }
  throw new StowageError(
    `Cannot find fleet "${wanted}": the app declares ${names.join(", ")}; ${didYouMean(wanted, names, "name one of these")}`,
    { code: "not_found" },
  );
}

function checkDigest(wanted: string | undefined, json: unknown, path: string): void {
  if (wanted === undefined) return;
  const digest = digestOf(json as Json);
  if (wanted === digest) return;
  throw new StowageError(
    `Cannot apply manifest "${path}": it is ${digest}, not ${wanted}, which the plan was made from; make a new plan, with terraform plan if Terraform runs this`,
    { code: "failed_precondition" },
  );
}

function checkFleetName(wanted: string | undefined, manifest: FleetManifest, path: string): void {
  if (wanted === undefined || wanted === manifest.name) return;
  throw new StowageError(
    `Cannot find fleet "${wanted}": manifest "${path}" declares ${manifest.name}; leave --fleet out, or name its manifest`,
    { code: "not_found" },
  );
}
