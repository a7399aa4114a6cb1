import { type Header, pack as makePack, type Pack } from "tar-stream";
import type { ImageContent } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { LayerTree, type Leaf } from "./layer-tree.ts";
import { type LayerEntry, layerCompression, readLayer } from "./read-layer.ts";
import { closeOf, drainOf } from "./stream-events.ts";

/** Where the files of an image begin in its ACI. */
const ROOTFS = "rootfs";
/** Bytes that an image's /etc/passwd or /etc/group may have. */
const MAX_ACCOUNT_BYTES = 1024 * 1024;
/** Beyond this a number goes into a header of its own. */
const MAX_OCTAL_ID = 0o7777777;

/** A header as it is written. */
type NewHeader = Partial<Header> & Pick<Header, "name">;

/** Texts of files that say who is who in an image. */
export interface AccountTexts {
  passwd: string;
  group: string;
}

/** What is in an image in the end; reads every layer once, and holds names only. */
export async function layOut(
  content: ImageContent,
  signal: AbortSignal | undefined,
): Promise<LayerTree> {
  const tree = new LayerTree();
  for (const layer of content.layers) layerCompression(layer);
  for (const [at, layer] of content.layers.entries()) {
    let index = 0;
    for await (const entry of readLayer(content, layer, content.diffIds[at] ?? "")) {
      signal?.throwIfAborted();
      tree.add(at, index, entry.header);
      index += 1;
      entry.resume();
    }
  }
  return tree;
}

/**
 * The bytes of an image as an ACI: its manifest, then all folders, then each layer's files that no
 * later layer removed. The same image gives the same bytes, and so the same id.
 *
 * @param accounts filled with the image's own accounts on the way
 */
export async function* writeAci(
  content: ImageContent,
  tree: LayerTree,
  manifest: string,
  accounts: AccountTexts,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pack = makePack();
  const writing = write(pack, content, tree, manifest, accounts).then(
    () => pack.finalize(),
    (error: unknown) => {
      pack.destroy(error as Error);
      throw error;
    },
  );
  writing.catch(() => undefined);
  try {
    yield* pack as AsyncIterable<Uint8Array>;
  } finally {
    pack.destroy();
  }
  await writing;
}

async function write(
  pack: Pack,
  content: ImageContent,
  tree: LayerTree,
  manifest: string,
  accounts: AccountTexts,
): Promise<void> {
  await put(pack, { name: "manifest", type: "file", mode: 0o644, mtime: new Date(0) }, manifest);
  for (const { path, header } of tree.folders())
    await put(pack, headerFor(header, `${ROOTFS}${path}/`, { type: "directory", mode: 0o755 }));
  const files = tree.files();
  const wanted = { passwd: tree.fileAt("etc/passwd"), group: tree.fileAt("etc/group") };
  for (const [at, layer] of content.layers.entries()) {
    const ofLayer = files.get(at);
    // a layer with nothing left is not read again
    if (ofLayer === undefined) continue;
    let index = 0;
    for await (const entry of readLayer(content, layer, content.diffIds[at] ?? "")) {
      const leaf = ofLayer.get(index);
      index += 1;
      if (leaf === undefined) entry.resume();
      else await putFile(pack, entry, leaf, wanted, accounts);
    }
  }
}

async function putFile(
  pack: Pack,
  entry: LayerEntry,
  leaf: Leaf,
  wanted: Readonly<Record<keyof AccountTexts, Leaf | undefined>>,
  accounts: AccountTexts,
): Promise<void> {
  const { header } = entry;
  const [first = "", ...others] = leaf.paths;
  const name = `${ROOTFS}${first}`;
  if (header.type === "file" || header.type === "contiguous-file") {
    const keys = (["passwd", "group"] as const).filter((key) => wanted[key] === leaf);
    const text = await putBytes(pack, entry, name, keys.length > 0);
    for (const key of keys) accounts[key] = text;
  } else {
    entry.resume();
    await put(pack, headerFor(header, name, kindOf(header, first)));
  }
  for (const path of others)
    await put(
      pack,
      headerFor(undefined, `${ROOTFS}${path}`, { type: "link", linkname: name, mode: header.mode }),
    );
}

/** @returns the text of the file where it is to be kept */
async function putBytes(
  pack: Pack,
  entry: LayerEntry,
  name: string,
  keep: boolean,
): Promise<string> {
  const { size } = entry.header;
  if (keep && size > MAX_ACCOUNT_BYTES)
    throw new StowageError(
      `Cannot read file "${name}" of an image: it has ${size} bytes; build the image with less`,
      { code: "invalid_argument", context: { file: name } },
    );
  const parts: Uint8Array[] = [];
  const sink = pack.entry(headerFor(entry.header, name, { type: "file", size }));
  const ended = closeOf(sink);
  for await (const chunk of entry as AsyncIterable<Uint8Array>) {
    if (keep) parts.push(chunk);
    if (!sink.write(chunk)) await drainOf(sink, ended);
  }
  sink.end(undefined);
  await ended;
  return Buffer.concat(parts).toString("utf8");
}

function kindOf({ type, linkname }: Header, path: string): Partial<Header> {
  if (type === "symlink") return { type, linkname: linkname ?? "" };
  if (type === "character-device" || type === "block-device" || type === "fifo") return { type };
  throw new StowageError(
    `Cannot convert file "${path}" of an image for rkt: it is of an unknown kind (${type}); build the image without it`,
    { code: "invalid_argument", context: { file: path } },
  );
}

/** A header for the ACI: who, when and extended attributes of the layer's, everything else as said. */
function headerFor(header: Header | undefined, name: string, over: Partial<Header>): NewHeader {
  const said = (header?.pax ?? {}) as Readonly<Record<string, string>>;
  const pax = Object.fromEntries(
    Object.entries(said).filter(([key]) => key.startsWith("SCHILY.xattr.")),
  );
  if (Object.values(pax).some((value) => value.includes("\ufffd")))
    throw new StowageError(
      `Cannot convert file "${name}" of an image for rkt: it has an extended attribute that is not text; build the image without it`,
      { code: "unimplemented", context: { file: name } },
    );
  const uid = Number(said["uid"] ?? header?.uid ?? 0);
  const gid = Number(said["gid"] ?? header?.gid ?? 0);
  if (uid > MAX_OCTAL_ID) pax["uid"] = String(uid);
  if (gid > MAX_OCTAL_ID) pax["gid"] = String(gid);
  return {
    mode: header?.mode ?? 0o644,
    mtime: header?.mtime ?? new Date(0),
    uid: Math.min(uid, MAX_OCTAL_ID),
    gid: Math.min(gid, MAX_OCTAL_ID),
    devmajor: header?.devmajor ?? 0,
    devminor: header?.devminor ?? 0,
    ...over,
    name,
    ...(Object.keys(pax).length === 0 ? {} : { pax }),
  };
}

async function put(pack: Pack, header: NewHeader, text?: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve());
    if (text === undefined) pack.entry(header, done);
    else pack.entry(header, text, done);
  });
}
