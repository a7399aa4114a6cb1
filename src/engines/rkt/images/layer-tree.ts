import type { Header } from "tar-stream";
import { StowageError } from "../../../errors/index.ts";

/** A file of a layer that is in the image in the end, under each of its names. */
export interface Leaf {
  readonly layer: number;
  /** Position of its entry in the layer. */
  readonly index: number;
  readonly header: Header;
  /** Paths that it has in the image; filled by {@link LayerTree.files}. */
  readonly paths: string[];
}

interface Folder {
  layer: number;
  header: Header | undefined;
  readonly children: Map<string, Folder | Link>;
}

/** A name of a leaf; the layer is that which gave the name. */
interface Link {
  readonly layer: number;
  readonly leaf: Leaf;
}

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
const MAX_ENTRIES = 2_000_000;
const MAX_SYMLINKS = 255;

/**
 * What layers come to, one laid over the other: names and headers, no contents.
 *
 * A file's parents are looked up as the kernel does, symbolic links followed within the root; a
 * whiteout removes what lower layers brought, never what its own layer brings.
 */
export class LayerTree {
  readonly #root: Folder = { layer: 0, header: undefined, children: new Map() };
  #entries = 0;

  /** Lays one entry over what is there; layers come from the lowest up, entries in their order. */
  add(layer: number, index: number, header: Header): void {
    this.#entries += 1;
    if (this.#entries > MAX_ENTRIES)
      throw broken(header.name, `the image has more than ${MAX_ENTRIES} files`);
    const parts = split(header.name);
    const name = parts.at(-1);
    if (name === undefined) {
      if (header.type === "directory") Object.assign(this.#root, { layer, header });
      return;
    }
    const parent = this.#folder(parts.slice(0, -1), layer);
    if (name === OPAQUE) removeLower(parent, layer);
    else if (name.startsWith(WHITEOUT)) removeName(parent, name.slice(WHITEOUT.length), layer);
    else this.#put(parent, name, { layer, index, header, paths: [] });
  }

  /** All folders, parents first, with the header of the topmost layer that has one. */
  *folders(): Generator<{ readonly path: string; readonly header: Header | undefined }> {
    yield* walk(this.#root, "");
  }

  /** All other files by layer and position, each with all of its names. */
  files(): ReadonlyMap<number, ReadonlyMap<number, Leaf>> {
    const found = new Map<number, Map<number, Leaf>>();
    collect(this.#root, "", (leaf, path) => {
      const ofLayer = found.get(leaf.layer) ?? new Map<number, Leaf>();
      found.set(leaf.layer, ofLayer);
      if (!ofLayer.has(leaf.index)) leaf.paths.length = 0;
      ofLayer.set(leaf.index, leaf);
      leaf.paths.push(path);
    });
    return found;
  }

  /** The regular file at a path of the finished image, symbolic links followed. */
  fileAt(path: string): Leaf | undefined {
    let parts = split(path);
    for (let links = 0; links < MAX_SYMLINKS; links += 1) {
      const parent = this.#resolve(parts.slice(0, -1));
      const node = parent?.children.get(parts.at(-1) ?? "");
      if (node === undefined || "children" in node) return undefined;
      const { type, linkname } = node.leaf.header;
      if (type === "file" || type === "contiguous-file") return node.leaf;
      if (type !== "symlink") return undefined;
      parts = join(parts.slice(0, -1), linkname ?? "");
    }
    return undefined;
  }

  #put(parent: Folder, name: string, leaf: Leaf): void {
    const { header, layer } = leaf;
    const present = parent.children.get(name);
    if (header.type === "directory") {
      if (present !== undefined && "children" in present) Object.assign(present, { layer, header });
      else parent.children.set(name, { layer, header, children: new Map() });
      return;
    }
    if (header.type !== "link") {
      parent.children.set(name, { layer, leaf });
      return;
    }
    const target = split(header.linkname ?? "");
    const node = this.#resolve(target.slice(0, -1))?.children.get(target.at(-1) ?? "");
    if (node === undefined || "children" in node)
      throw broken(header.name, `it is a hard link to "${header.linkname}", which is not a file`);
    parent.children.set(name, { layer, leaf: node.leaf });
  }

  /** A folder by its path, made where it is not there. */
  #folder(parts: readonly string[], layer: number): Folder {
    const found = this.#resolve(parts, layer);
    if (found !== undefined) return found;
    throw broken(parts.join("/"), "it leads through too many symbolic links");
  }

  #resolve(parts: readonly string[], make?: number): Folder | undefined {
    let place: Place | undefined = { way: [this.#root], rest: parts, links: 0 };
    while (place !== undefined && place.rest.length > 0) place = this.#step(place, make);
    return place?.way.at(-1);
  }

  #step({ way, rest, links }: Place, make: number | undefined): Place | undefined {
    const [name = "", ...after] = rest;
    if (name === "..") return { way: way.length > 1 ? way.slice(0, -1) : way, rest: after, links };
    const folder = way.at(-1) ?? this.#root;
    const node = folder.children.get(name);
    const target = node === undefined ? undefined : symlinkTarget(node);
    if (target !== undefined) {
      if (links >= MAX_SYMLINKS) return undefined;
      const steps = target.split("/").filter((part) => part !== "" && part !== ".");
      const from = target.startsWith("/") ? [this.#root] : way;
      return { way: from, rest: [...steps, ...after], links: links + 1 };
    }
    const next = asFolder(node) ?? makeFolder(folder, name, make);
    if (next === undefined) return undefined;
    // what a layer puts something into is that layer's too: no whiteout of its own takes it away
    if (make !== undefined) next.layer = make;
    return { way: [...way, next], rest: after, links };
  }
}

/** How far a path was followed. */
interface Place {
  /** From the root down. */
  readonly way: readonly Folder[];
  readonly rest: readonly string[];
  /** Symbolic links followed. */
  readonly links: number;
}

function asFolder(node: Folder | Link | undefined): Folder | undefined {
  return node !== undefined && "children" in node ? node : undefined;
}

function symlinkTarget(node: Folder | Link): string | undefined {
  if ("children" in node || node.leaf.header.type !== "symlink") return undefined;
  return node.leaf.header.linkname;
}

/** A folder in place of what is not there, or is a file; none where nothing is to be made. */
function makeFolder(parent: Folder, name: string, layer: number | undefined): Folder | undefined {
  if (layer === undefined) return undefined;
  const made: Folder = { layer, header: undefined, children: new Map() };
  parent.children.set(name, made);
  return made;
}

function* walk(
  folder: Folder,
  path: string,
): Generator<{ readonly path: string; readonly header: Header | undefined }> {
  yield { path, header: folder.header };
  for (const [name, node] of sorted(folder)) {
    if ("children" in node) yield* walk(node, `${path}/${name}`);
  }
}

function collect(folder: Folder, path: string, take: (leaf: Leaf, path: string) => void): void {
  for (const [name, node] of sorted(folder)) {
    if ("children" in node) collect(node, `${path}/${name}`, take);
    else take(node.leaf, `${path}/${name}`);
  }
}

function sorted({ children }: Folder): readonly [string, Folder | Link][] {
  return [...children].sort(([a], [b]) => (a < b ? -1 : 1));
}

function removeName(parent: Folder, name: string, layer: number): void {
  const node = parent.children.get(name);
  if (node === undefined) return;
  if (node.layer < layer) parent.children.delete(name);
  else if ("children" in node) removeLower(node, layer);
}

function removeLower(folder: Folder, layer: number): void {
  for (const name of [...folder.children.keys()]) removeName(folder, name, layer);
}

function split(name: string): string[] {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw broken(name, "its path leads out of the image");
  return parts;
}

function join(base: readonly string[], target: string): string[] {
  const parts = target.startsWith("/") ? [] : [...base];
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}

function broken(name: string, state: string): StowageError {
  return new StowageError(
    `Cannot lay out file "${name}" of an image: ${state}; build the image again`,
    { code: "invalid_argument", context: { file: name } },
  );
}
