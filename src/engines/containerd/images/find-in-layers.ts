import type { LayerFiles } from "./layer-files.ts";

/** Symbolic links on the way to one file. */
const MAX_LINKS = 40;

/**
 * Path on the host of a regular file of an image, undefined when it has none there.
 *
 * Layers are merged as overlayfs does: the topmost entry counts, a whiteout hides those below, folders
 * are merged until something that is none. Links are followed inside the image only. A folder that a
 * layer replaced by a new one of the same name cannot be distinguished from one that it added to.
 *
 * @param layers folders of the layers, topmost first
 * @param path absolute, in the image
 */
export async function findInLayers(
  files: LayerFiles,
  layers: readonly string[],
  path: string,
): Promise<string | undefined> {
  let parts = split(path);
  for (let links = 0; links <= MAX_LINKS; links += 1) {
    const found = await walk(files, layers, parts);
    if (typeof found !== "object") return found;
    parts = found;
  }
  return undefined;
}

/** A file's path, nothing, or the path to walk instead. */
async function walk(
  files: LayerFiles,
  layers: readonly string[],
  parts: readonly string[],
): Promise<string | string[] | undefined> {
  let folders = layers;
  for (const [at, part] of parts.entries()) {
    const rest = parts.slice(at + 1);
    if (part === "..") return [...parts.slice(0, Math.max(0, at - 1)), ...rest];
    const found = await lookUp(files, folders, part);
    if (found === undefined) return undefined;
    if (found.kind === "file") return rest.length === 0 ? found.path : undefined;
    if (found.kind === "symlink") {
      const from = found.target.startsWith("/") ? [] : parts.slice(0, at);
      return [...from, ...split(found.target), ...rest];
    }
    folders = found.folders;
  }
  return undefined;
}

type Found =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "directory"; readonly folders: readonly string[] };

async function lookUp(
  files: LayerFiles,
  folders: readonly string[],
  part: string,
): Promise<Found | undefined> {
  const merged: string[] = [];
  for (const folder of folders) {
    const path = `${folder}/${part}`;
    const entry = await files.inspect(path);
    if (entry === undefined) continue;
    if (entry.kind === "directory") {
      merged.push(path);
      continue;
    }
    if (merged.length > 0 || entry.kind === "whiteout" || entry.kind === "other") break;
    return entry.kind === "symlink" ? entry : { kind: "file", path };
  }
  return merged.length === 0 ? undefined : { kind: "directory", folders: merged };
}

function split(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
