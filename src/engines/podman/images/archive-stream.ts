import { createHash } from "node:crypto";
import type { BlobDescriptor, ImageContent } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { imageName } from "../../../model/index.ts";

const BLOCK = 512;

/** One file of an archive. */
interface Entry {
  readonly path: string;
  readonly size: number;
  bytes(): AsyncIterable<Uint8Array>;
}

/**
 * An image as the OCI archive that podman reads from its standard input. Every blob is verified on its
 * way, and the archive never ends where one was not what its digest says.
 *
 * @param tag name that the image gets
 * @throws StowageError `invalid_argument` when bytes are not what their digest says
 */
export async function* archiveStream(
  content: ImageContent,
  tag: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { manifest, config, layers } = content;
  const blobs = new Map([manifest, config, ...layers].map((blob) => [blob.digest, blob]));
  const { mediaType, digest, size } = manifest;
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [
      { mediaType, digest, size, annotations: { "org.opencontainers.image.ref.name": tag } },
    ],
  };
  const entries: readonly Entry[] = [
    textEntry("oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" })),
    textEntry("index.json", JSON.stringify(index)),
    ...[...blobs.values()].map((blob) => ({
      path: `blobs/${blob.digest.replace(":", "/")}`,
      size: blob.size,
      bytes: () => verified(content, blob),
    })),
  ];
  for (const entry of entries) {
    yield header(entry.path, entry.size);
    yield* entry.bytes();
    yield new Uint8Array((BLOCK - (entry.size % BLOCK)) % BLOCK);
  }
  yield new Uint8Array(2 * BLOCK);
}

function textEntry(path: string, text: string): Entry {
  const bytes = Buffer.from(text);
  return {
    path,
    size: bytes.length,
    bytes: async function* () {
      yield bytes;
    },
  };
}

async function* verified(
  content: ImageContent,
  blob: BlobDescriptor,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const part of content.open(blob.digest)) {
    size += part.byteLength;
    if (size > blob.size) break;
    hash.update(part);
    yield part;
  }
  if (size === blob.size && `sha256:${hash.digest("hex")}` === blob.digest) return;
  const name = imageName(content.reference, content.manifest.digest);
  throw new StowageError(
    `Cannot import image "${name}": the bytes of ${blob.digest} do not match the digest; get the image again`,
    { code: "invalid_argument", context: { image: name, digest: blob.digest } },
  );
}

/** Largest size that the digits of a header hold. */
const MAX_OCTAL = 0o77_777_777_777;

/** Header of a plain file in a tar archive; sizes beyond 8 GiB are written in binary, as GNU's tar does. */
function header(path: string, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0, 100, "utf8");
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  if (size <= MAX_OCTAL) block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  else {
    block.writeUInt8(0x80, 124);
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\x0000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
