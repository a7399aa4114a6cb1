import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { StowageError } from "../../../src/errors/index.ts";
import { findOnPath } from "../../../src/internal/index.ts";
import { runCommand } from "../run-command.ts";
import type { EngineVersion } from "./engine-versions.ts";
import { downloadPackages } from "./private-apt.ts";

/** Programs that unpacking an engine, and running it beside the installed one, needs. */
const PROGRAMS = ["apt-get", "dpkg-deb", "unshare", "mount"];

/** Why versions that are not installed cannot be run here; undefined when they can. */
export function whyNoOtherVersions(): string | undefined {
  if (process.platform !== "linux") return "this is not Linux";
  if (process.getuid?.() !== 0) return "this is not root, which may mount";
  const missing = PROGRAMS.filter((name) => findOnPath(name) === undefined);
  if (missing.length === 0) return undefined;
  return `${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} missing`;
}

/**
 * Unpacks an engine of another suite into a folder, once.
 *
 * @returns the folder, which holds a `usr` of its own
 */
export async function unpackEngine(
  { name, suite = "", packages }: Pick<EngineVersion, "name" | "suite" | "packages">,
  cache: string,
): Promise<string> {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const work = join(cache, `${name}.work`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const files = await downloadPackages(suite, packages, join(work, "apt"));
  const root = join(work, "root");
  for (const file of files) {
    const { exitCode, output } = await runCommand("dpkg-deb", ["--extract", file, root], {
      output: "capture",
    });
    if (exitCode !== 0) {
      throw new StowageError(`Cannot unpack "${file}": ${output.trim()}; run it again`, {
        code: "internal",
      });
    }
  }
  // whole or not at all: what was cut short is begun anew
  renameSync(root, folder);
  rmSync(work, { recursive: true, force: true });
  return folder;
}

/**
 * Words that run what follows with an engine's `usr` laid over the system's, in a namespace of mounts of
 * its own: its programs find each other and their libraries, and nobody else sees them.
 */
export function throughEngine(folder: string): readonly string[] {
  const script = [
    'mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr',
    // a system that never had the engine has no policy for images either
    '{ [ -e /etc/containers/policy.json ] || [ ! -d "$1/etc/containers" ] || mount -t overlay overlay -o "lowerdir=$1/etc:/etc" /etc; }',
    "shift",
    'exec "$@"',
  ].join(" && ");
  return ["unshare", "--mount", "sh", "-c", script, "sh", folder];
}
