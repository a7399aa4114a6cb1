import * as z from "zod";
import type { ImageDefaults } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Content } from "../../../gen/containerd/services/content/v1/content_pb.ts";
import { StoredConfig, storedDefaults } from "../../../image/index.ts";
import { type AppliedImage, imageName } from "../../../model/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { chainIds } from "../images/chain-id.ts";
import { getImageRecord } from "../images/image-record.ts";

/** What an image in the engine says of how to run it. */
export interface ImageDetails {
  readonly name: string;
  readonly defaults: ImageDefaults;
  /** Of the topmost layer; undefined for an image without layers. */
  readonly topChainId: string | undefined;
}

/** Bytes that a manifest or a config may have. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

const Manifest = z.object({ config: z.object({ digest: z.string() }) });

/**
 * Reads images from the engine's own store; what a digest leads to never changes and is read once. A
 * record that was there is not looked for again: without its layers no snapshot is made anyway.
 */
export class ImageDetailsReader {
  readonly #client: ContainerdClient;
  readonly #known = new Map<string, Promise<Omit<ImageDetails, "name">>>();
  readonly #recorded = new Set<string>();

  constructor(client: ContainerdClient) {
    this.#client = client;
  }

  /**
   * What an image says of how to run it.
   *
   * @throws StowageError `not_found` when the image is not in the engine
   */
  async read(image: AppliedImage, signal?: AbortSignal): Promise<ImageDetails> {
    const name = imageName(image.reference, image.digest);
    if (
      !this.#recorded.has(name) &&
      (await getImageRecord(this.#client, name, signal)) === undefined
    ) {
      throw new StowageError(
        `Cannot use image "${name}": it is not in containerd; import it first`,
        {
          code: "not_found",
          context: { image: name },
        },
      );
    }
    this.#recorded.add(name);
    return { name, ...(await this.#read(image.digest)) };
  }

  /** Has an image looked up again the next time. */
  forget(name: string): void {
    this.#recorded.delete(name);
  }

  #read(digest: string): Promise<Omit<ImageDetails, "name">> {
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    // shared by callers, so no caller's signal may end it
    const reading = this.#readContent(digest);
    this.#known.set(digest, reading);
    reading.catch(() => this.#known.delete(digest));
    return reading;
  }

  async #readContent(digest: string): Promise<Omit<ImageDetails, "name">> {
    const manifest = await this.#document(digest, "manifest", Manifest);
    const config = await this.#document(manifest.config.digest, "config", StoredConfig);
    const topChainId = chainIds(config.rootfs.diff_ids).at(-1);
    return { defaults: storedDefaults(config), topChainId };
  }

  async #document<T>(digest: string, what: string, schema: z.ZodType<T>): Promise<T> {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    const options = { doing: `read ${what} "${digest}"` };
    for await (const { data } of this.#client.serverStream(
      Content.method.read,
      { digest },
      options,
    )) {
      bytes += data.byteLength;
      if (bytes > MAX_DOCUMENT_BYTES)
        throw unreadable(what, digest, `it has more than ${MAX_DOCUMENT_BYTES} bytes`);
      parts.push(data);
    }
    try {
      return schema.parse(JSON.parse(Buffer.concat(parts).toString("utf8")));
    } catch (error) {
      throw unreadable(what, digest, "it is not an OCI document", error);
    }
  }
}

function unreadable(what: string, digest: string, why: string, cause?: unknown): StowageError {
  return new StowageError(`Cannot read ${what} "${digest}": ${why}; import the image again`, {
    code: "failed_precondition",
    cause,
    context: { digest },
  });
}
