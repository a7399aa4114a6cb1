import { createReadStream, createWriteStream, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { TAR_END, tarHeader, tarPadding } from "./tar-writer.ts";

/** Packs a layout's folder into an OCI archive, the same bytes for the same layout. */
export async function archiveLayout(layout: string, tarPath: string): Promise<void> {
  const temporary = `${tarPath}.${process.pid}`;
  await pipeline(Readable.from(tarBytes(layout)), createWriteStream(temporary));
  renameSync(temporary, tarPath);
}

async function* tarBytes(layout: string): AsyncGenerator<Uint8Array, void, undefined> {
  const names = readdirSync(layout, { recursive: true, encoding: "utf8" }).toSorted((a, b) =>
    a < b ? -1 : 1,
  );
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
