import { createReadStream, createWriteStream, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { TAR_END, tarHeader, tarPadding } from "./tar-writer.ts";

/**
 * Packs a layout's folder into an OCI archive, the same bytes for the same layout. The archive may
 * lie in that folder; it is not packed itself.
 */
export async function archiveLayout(layout: string, tarPath: string): Promise<void> {
  const temporary = `${tarPath}.${process.pid}`;
  // listed before the archive is there: it would be packed into itself without end
  const names = readdirSync(layout, { recursive: true, encoding: "utf8" })
    .filter((name) => ![tarPath, temporary].includes(join(layout, name)))
    .toSorted((a, b) => (a < b ? -1 : 1));
  await pipeline(Readable.from(tarBytes(layout, names)), createWriteStream(temporary));
  renameSync(temporary, tarPath);
}

async function* tarBytes(
  layout: string,
  names: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const name of names) {
    const path = join(layout, name);
    const status = statSync(path);
    if (status.isDirectory()) {
      yield tarHeader({ name: `${name}/`, kind: "directory", mode: 0o755, sizeBytes: 0 });
      continue;
    }
    yield tarHeader({ name, kind: "file", mode: 0o644, sizeBytes: status.size });
    yield* createReadStream(path);
    yield tarPadding(status.size);
  }
  yield TAR_END;
}
