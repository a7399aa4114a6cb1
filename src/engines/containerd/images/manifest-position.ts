import * as z from "zod";
import type { BlobDescriptor, ImageContent } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { verifyStream } from "../../../image/index.ts";

/** Bytes that an index may have. */
const MAX_INDEX_BYTES = 4 * 1024 * 1024;

/** The part of an index that is read. */
const Index = z.object({ manifests: z.array(z.object({ digest: z.string() })) });

/**
 * Where an image's manifest stands in its index; undefined when only an index within the index lists it.
 *
 * @throws StowageError `invalid_argument` when the index is too big, or is not what its digest says.
 */
export async function manifestPosition(
  content: Pick<ImageContent, "open" | "manifest">,
  index: BlobDescriptor,
): Promise<number | undefined> {
  const { digest, size } = index;
  const fail = (why: string, cause?: unknown): never => {
    throw new StowageError(`Cannot read image index "${digest}": ${why}`, {
      code: "invalid_argument",
      cause,
      context: { digest },
    });
  };
  if (size > MAX_INDEX_BYTES) fail(`it has ${size} bytes, ${MAX_INDEX_BYTES} are allowed`);
  const parts: Uint8Array[] = [];
  for await (const part of verifyStream(content.open(digest), digest, size)) parts.push(part);
  let manifests: readonly { digest: string }[] = [];
  try {
    manifests = Index.parse(JSON.parse(Buffer.concat(parts).toString("utf8"))).manifests;
  } catch (error) {
    fail("it is not an image index; build the image again", error);
  }
  const position = manifests.findIndex((manifest) => manifest.digest === content.manifest.digest);
  return position < 0 ? undefined : position;
}
