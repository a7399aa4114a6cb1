import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { StowageError } from "../../errors/index.ts";
import { type Declaration, type DeclarationSource, readFleetLock } from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import { type LoadedFleet, readFleetAt } from "../project/load-fleet.ts";

/**
 * A fleet's manifest and lock file as they are now. An app is not run again: whoever changes it runs
 * `stowage synth`, which writes the manifest again.
 */
export async function declarationFile(
  fleet: LoadedFleet,
  args: Arguments,
): Promise<DeclarationSource> {
  const paths = [fleet.path, fleet.lockFile];
  let seen = await marksOf(paths);
  let content = await contentOf(paths);
  return {
    first: await withLock(fleet),
    changed: async () => {
      const now = await marksOf(paths);
      if (now === seen) return undefined;
      // noted first: a broken one is reported once
      seen = now;
      const before = content;
      content = await contentOf(paths);
      // each command of an app writes it again, mostly as it was
      if (content === before) return undefined;
      const { name, id } = fleet.manifest;
      const loaded = await readFleetAt(fleet.path, args);
      if (loaded.manifest.name !== name || loaded.manifest.id !== id) {
        throw new StowageError(
          `Cannot use changed manifest "${fleet.path}": it declares fleet ${loaded.manifest.name} of owner ${loaded.manifest.id} now, and this watch is of ${name} of owner ${id}; start another watch`,
          { code: "failed_precondition" },
        );
      }
      return await withLock({ ...fleet, ...loaded });
    },
  };
}

async function withLock({ manifest, baseDir, lockFile }: LoadedFleet): Promise<Declaration> {
  return { manifest, manifestDir: baseDir, lockFile: await readFleetLock(lockFile) };
}

/** What the files hold; the same for one that is not there. */
async function contentOf(paths: readonly string[]): Promise<string> {
  const texts = await Promise.all(paths.map((path) => readFile(path).catch(() => undefined)));
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text?.length ?? "none"}\n`).update(text ?? "");
  return hash.digest("hex");
}

/** What differs when a file was written again; the same for one that is not there. */
async function marksOf(paths: readonly string[]): Promise<string> {
  const marks = await Promise.all(
    paths.map(async (path) => {
      try {
        const { ino, size, mtimeNs } = await stat(path, { bigint: true });
        return `${ino} ${size} ${mtimeNs}`;
      } catch {
        return "";
      }
    }),
  );
  return marks.join("\n");
}
