import type { BlobDescriptor, ImageContent } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Content } from "../../../gen/containerd/services/content/v1/content_pb.ts";
import { reserveSpace } from "../../../host/index.ts";
import { imageName } from "../../../model/index.ts";
import type { PodContext } from "./pod-context.ts";

/** Images below this are not worth a look: that much is written by a pod that is made. */
const SMALL_BYTES = 1024 * 1024;

/**
 * Sees that the daemon's disk can hold an image: what it lacks of its blobs, and as much again where
 * layers are unpacked, which is the least that they can be.
 */
export async function reserveImageSpace(
  { client, facts, host, snapshotter }: PodContext,
  { reference, manifest, config, layers }: ImageContent,
  signal: AbortSignal | undefined,
): Promise<Disposable | undefined> {
  const blobs = new Map([manifest, config, ...layers].map((blob) => [blob.digest, blob]));
  if (sum([...blobs.values()]) < SMALL_BYTES) return undefined;
  const isHeld = async ({ digest }: BlobDescriptor): Promise<boolean> => {
    try {
      await client.unary(Content.method.info, { digest }, { doing: `look for ${digest}`, signal });
      return true;
    } catch (error) {
      if (StowageError.is(error, "not_found")) return false;
      throw error;
    }
  };
  const found = await Promise.all([...blobs.values()].map(isHeld));
  const missing = [...blobs.values()].filter((_, at) => !found[at]);
  const unpacked = missing.filter(({ digest }) => layers.some((layer) => layer.digest === digest));
  const { content, snapshots } = await facts.imageDirectories(snapshotter);
  const needs = [
    { path: content, bytes: sum(missing) },
    { path: snapshots, bytes: sum(unpacked) },
  ].flatMap(({ path, bytes }) => (path === undefined ? [] : [{ path, bytes }]));
  const doing = `import image "${imageName(reference, manifest.digest)}"`;
  return await reserveSpace(host, needs, { doing, signal });
}

function sum(blobs: readonly BlobDescriptor[]): number {
  return blobs.reduce((bytes, { size }) => bytes + size, 0);
}
