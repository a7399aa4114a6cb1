import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path/posix";
import { TAR_END, tarHeader, tarPadding } from "./tar-writer.ts";

/** One thing in an image; owner root unless said otherwise. */
export type ImageFile = { readonly mode?: number; readonly uid?: number; readonly gid?: number } & (
  | { readonly content: string | Uint8Array }
  /** A file of this machine; its mode is kept. */
  | { readonly fromHost: string }
  | { readonly linkTo: string }
  | { readonly directory: true }
);

/** What a layer adds, by absolute path in the image. */
export type LayerFiles = ReadonlyMap<string, ImageFile>;

/** The tar of a layer: sorted, parents first, all times zero, so that its digest is always the same. */
export function layerTar(files: LayerFiles): Buffer {
  const all = new Map<string, ImageFile>();
  for (const [path, file] of files) {
    if (!/^\/[^/]/.test(path) || path.split("/").some((part) => part === ".." || part === ".")) {
      throw new Error(
        `Cannot put "${path}" into an image: write an absolute path without . and ..`,
      );
    }
    all.set(path.slice(1), file);
  }
  for (const path of [...all.keys()]) {
    for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) {
      if (!all.has(parent)) all.set(parent, { directory: true });
    }
  }
  const names = [...all.keys()].toSorted((a, b) => (a < b ? -1 : 1));
  return Buffer.concat([...names.map((name) => tarEntry(name, all.get(name))), TAR_END]);
}

function tarEntry(name: string, file: ImageFile | undefined): Buffer {
  if (file === undefined) throw new Error(`Cannot pack "${name}": it is not in the layer`);
  const owner = { uid: file.uid ?? 0, gid: file.gid ?? 0, sizeBytes: 0 };
  if ("linkTo" in file) {
    const { linkTo: linkName } = file;
    return tarHeader({ name, kind: "symlink", mode: 0o777, ...owner, linkName });
  }
  if ("directory" in file) {
    return tarHeader({ name: `${name}/`, kind: "directory", mode: file.mode ?? 0o755, ...owner });
  }
  const content = "fromHost" in file ? readFileSync(file.fromHost) : Buffer.from(file.content);
  const mode = file.mode ?? ("fromHost" in file ? statSync(file.fromHost).mode & 0o777 : 0o644);
  const sizeBytes = content.length;
  return Buffer.concat([
    tarHeader({ name, kind: "file", mode, ...owner, sizeBytes }),
    content,
    tarPadding(sizeBytes),
  ]);
}
