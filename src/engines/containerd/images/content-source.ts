import { Content } from "../../../gen/containerd/services/content/v1/content_pb.ts";
import type { BlobSource } from "../../../image/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";

/** The blobs of a namespace's content store; a missing one is `not_found`. */
export function contentSource(
  client: ContainerdClient,
  signal: AbortSignal | undefined,
): BlobSource & { readonly location: string } {
  return {
    location: `containerd, namespace ${client.namespace}`,
    async *open(digest, offset = 0) {
      const options = { doing: `read blob "${digest}"`, signal };
      const request = { digest, offset: BigInt(offset) };
      for await (const { data } of client.serverStream(Content.method.read, request, options)) {
        yield data;
      }
    },
    size: async (digest) => {
      const options = { doing: `look up blob "${digest}"`, signal };
      const { info } = await client.unary(Content.method.info, { digest }, options);
      return Number(info?.size ?? 0n);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
