import type { ExportedImage } from "../../../engine/index.ts";
import { readStoredImage } from "../../../image/index.ts";
import { type AppliedImage, imageName } from "../../../model/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { contentSource } from "./content-source.ts";
import { getImageRecord } from "./image-record.ts";

/**
 * An image with its bytes, straight from the content store. Nothing is held: as long as its record is
 * there, no blob of it is collected.
 *
 * @returns undefined when there is no record of it, or a blob is gone (layers may be, once unpacked)
 */
export async function exportImage(
  client: ContainerdClient,
  image: AppliedImage,
  signal: AbortSignal | undefined,
): Promise<ExportedImage | undefined> {
  const name = imageName(image.reference, image.digest);
  if ((await getImageRecord(client, name, signal)) === undefined) return undefined;
  const source = contentSource(client, signal);
  const found = await readStoredImage(source, image.digest, signal);
  if (found === undefined) return undefined;
  const { imageConfig, ...blobs } = found;
  return {
    content: {
      ...blobs,
      reference: image.reference,
      defaults: imageConfig,
      open: (digest, offset) => source.open(digest, offset),
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
