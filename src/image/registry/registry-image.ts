import { createHash } from "node:crypto";
import { StowageError } from "../../errors/index.ts";
import type { ImageReference } from "../../model/index.ts";
import type { ImageSource } from "../blob-source.ts";
import { isDigest } from "../digest.ts";
import { IndexDocument, type IndexEntry, ManifestDocument } from "../documents.ts";
import { INDEX_TYPES, MANIFEST_TYPES } from "../media-types.ts";
import { DOCUMENT_BYTES_MAX } from "../read-document.ts";
import type { RegistryAnswer, RegistryClient } from "./registry-client.ts";
import { type Asked, nonsense } from "./registry-error.ts";

/** Registries answer 404 for a kind that is not named. */
const ACCEPT = [...MANIFEST_TYPES, ...INDEX_TYPES].join(", ");
/** Tries in a row that bring no byte of a blob. */
const FRUITLESS_MAX = 3;

/**
 * Finds what a reference leads to in a registry, and reads its blobs from there.
 *
 * A blob whose connection breaks is continued where it broke. Nothing but manifests is held in
 * memory.
 *
 * @throws StowageError as {@link RegistryClient.ask}; `invalid_argument` for an answer that is none
 */
export async function openRegistryImage(
  client: RegistryClient,
  reference: ImageReference,
): Promise<ImageSource> {
  const image = new RegistryImage(client, reference);
  await image.find();
  return image;
}

class RegistryImage implements ImageSource {
  readonly location: string;
  entries: readonly IndexEntry[] = [];
  readonly #client: RegistryClient;
  readonly #reference: ImageReference;
  /** Digests of manifests and indexes: a registry has them elsewhere than blobs. */
  readonly #manifests = new Set<string>();
  /** Digests of configs, which are read more than once. */
  readonly #configs = new Set<string>();
  readonly #read = new Map<string, Uint8Array>();
  /** Sizes that manifests say of their blobs: a registry takes no manifest of blobs that it does not have. */
  readonly #sizes = new Map<string, number>();

  constructor(client: RegistryClient, reference: ImageReference) {
    this.#client = client;
    this.#reference = reference;
    this.location = reference.repository;
  }

  async find(): Promise<void> {
    const { digest, tag = "latest" } = this.#reference;
    const { mediaType, bytes, digest: found } = await this.#readManifest(digest ?? tag);
    this.entries = [{ mediaType, digest: found, size: bytes.byteLength }];
  }

  async *open(digest: string, offset = 0): AsyncGenerator<Uint8Array, void, undefined> {
    if (!this.#read.has(digest)) {
      if (this.#manifests.has(digest)) await this.#readManifest(digest);
      else if (this.#configs.has(digest)) await this.#readConfig(digest);
    }
    const known = this.#read.get(digest);
    if (known !== undefined) yield known.subarray(offset);
    else yield* this.#readBlob(checked(digest), offset);
  }

  async size(digest: string): Promise<number> {
    const known = this.#read.get(digest)?.byteLength ?? this.#sizes.get(digest);
    if (known !== undefined) return known;
    const asked = this.#asked("look for blob", checked(digest));
    const path = `blobs/${digest}`;
    const answer = await this.#client.ask({ ...asked, path, method: "HEAD" });
    await answer.body.dump();
    const [length = ""] = [answer.headers["content-length"] ?? []].flat();
    if (/^\d+$/.test(length)) return Number(length);
    throw nonsense(asked, "it does not say how long the blob is");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async #readManifest(
    name: string,
  ): Promise<{ readonly mediaType: string; readonly digest: string; readonly bytes: Uint8Array }> {
    const asked = this.#asked("read manifest", name);
    const headers = { accept: ACCEPT };
    const answer = await this.#client.ask({ ...asked, path: `manifests/${name}`, headers });
    const bytes = await this.#wholeOf(asked, answer);
    const digest = digestOf(asked, name, answer, bytes);
    const json = parsed(bytes);
    const [type = ""] = [answer.headers["content-type"] ?? []].flat();
    const mediaType = type.split(";")[0]?.trim() ?? "";
    if (json === undefined)
      throw nonsense(asked, `it is ${mediaType === "" ? "no JSON" : mediaType}, not a manifest`);
    this.#manifests.add(digest);
    this.#read.set(digest, bytes);
    this.#noteListed(json);
    return { mediaType: kindOf(asked, mediaType, json), digest, bytes };
  }

  async #readConfig(digest: string): Promise<void> {
    const asked = this.#asked("read blob", digest);
    const answer = await this.#client.ask({ ...asked, path: `blobs/${digest}` });
    this.#read.set(digest, await this.#wholeOf(asked, answer));
  }

  async #wholeOf(asked: Asked, answer: RegistryAnswer): Promise<Uint8Array> {
    try {
      return await this.#client.whileTelling(asked, () => wholeOf(asked, answer));
    } catch (error) {
      this.#client.throwIfStopped();
      throw StowageError.is(error) ? error : this.#client.unreachable(asked, error);
    }
  }

  /** What a document names: other manifests, or blobs with their sizes. */
  #noteListed(json: unknown): void {
    for (const { digest } of IndexDocument.safeParse(json).data?.manifests ?? [])
      this.#manifests.add(digest);
    const { config, layers = [] } = ManifestDocument.safeParse(json).data ?? {};
    for (const { digest, size } of layers) this.#sizes.set(digest, size);
    if (config !== undefined) this.#configs.add(config.digest);
  }

  /** Goes on where a connection broke, as long as each one brings something. */
  async *#readBlob(digest: string, from: number): AsyncGenerator<Uint8Array, void, undefined> {
    const asked = this.#asked("read blob", digest);
    let [offset, fruitless] = [from, 0];
    let failure: unknown;
    while (fruitless < FRUITLESS_MAX) {
      fruitless += 1;
      try {
        for await (const part of this.#readFrom(asked, digest, offset)) {
          [offset, fruitless] = [offset + part.byteLength, 0];
          yield part;
        }
        return;
      } catch (error) {
        this.#client.throwIfStopped();
        if (StowageError.is(error)) throw error;
        failure = error;
      }
    }
    throw this.#client.unreachable(asked, failure);
  }

  async *#readFrom(
    asked: Asked,
    digest: string,
    offset: number,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const answer = await this.#client.ask({ ...asked, path: `blobs/${digest}`, headers });
    try {
      yield* rest(asked, answer, offset);
    } finally {
      answer.body.destroy();
    }
  }

  #asked(verb: string, name: string): Asked {
    const { domain, repository } = this.#reference;
    return { domain, doing: `${verb} "${name}" of ${repository}` };
  }
}

/** The digest of a manifest's bytes, which must be the one that was asked for, and that the registry says. */
function digestOf(asked: Asked, name: string, answer: RegistryAnswer, bytes: Uint8Array): string {
  const algorithm = isDigest(name) ? name.slice(0, name.indexOf(":")) : "sha256";
  const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
  const [said] = [answer.headers["docker-content-digest"] ?? []].flat();
  const wanted = isDigest(name) ? name : said;
  if (wanted?.startsWith(`${algorithm}:`) && wanted !== digest)
    throw nonsense(asked, `its bytes have the digest ${digest}, not ${wanted}`);
  return digest;
}

/** The bytes from `offset` on: a registry may not know how to begin in the middle. */
async function* rest(
  asked: Asked,
  answer: RegistryAnswer,
  offset: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let over = offset;
  if (answer.statusCode === 206) {
    const [range = ""] = [answer.headers["content-range"] ?? []].flat();
    if (!range.startsWith(`bytes ${offset}-`))
      throw nonsense(asked, `it begins elsewhere than at byte ${offset}`);
    over = 0;
  }
  for await (const part of answer.body as AsyncIterable<Uint8Array>) {
    const taken = part.subarray(Math.min(over, part.byteLength));
    over -= part.byteLength - taken.byteLength;
    if (taken.byteLength > 0) yield taken;
  }
}

/** A document that is no longer than one may be. */
async function wholeOf(asked: Asked, answer: RegistryAnswer): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const part of answer.body as AsyncIterable<Uint8Array>) {
      total += part.byteLength;
      if (total > DOCUMENT_BYTES_MAX)
        throw nonsense(asked, `it has more than the ${DOCUMENT_BYTES_MAX} bytes that it may have`);
      parts.push(part);
    }
  } finally {
    answer.body.destroy();
  }
  return Buffer.concat(parts);
}

/** The header says it; where it does not, the document. */
function kindOf(asked: Asked, header: string, json: unknown): string {
  const said = (json as { readonly mediaType?: unknown } | null)?.mediaType;
  const kind = [header, said].find(
    (each) => typeof each === "string" && (MANIFEST_TYPES.has(each) || INDEX_TYPES.has(each)),
  );
  if (typeof kind === "string") return kind;
  throw nonsense(asked, `it is ${header === "" ? "of no kind" : header}, not a manifest`);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function checked(digest: string): string {
  if (isDigest(digest)) return digest;
  throw new StowageError(`Cannot read blob ${JSON.stringify(digest)}: it is not a digest`, {
    code: "invalid_argument",
  });
}
