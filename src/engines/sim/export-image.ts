import type { ExportedImage } from "../../engine/index.ts";
import { type AppliedImage, imageName } from "../../model/index.ts";
import type { MachineState } from "./machine-state.ts";

/** An image with its bytes; undefined where a blob was too big to be kept. */
export function exportImage(state: MachineState, image: AppliedImage): ExportedImage | undefined {
  const held = state.images[imageName(image.reference, image.digest)];
  if (held?.parts === undefined) return undefined;
  const { manifest, config, layers, diffIds } = held.parts;
  const bytes = new Map<string, Uint8Array>();
  for (const { digest } of [manifest, config, ...layers]) {
    const kept = state.bytes?.[digest];
    if (kept === undefined) return undefined;
    bytes.set(digest, Buffer.from(kept, "base64"));
  }
  return {
    content: {
      reference: image.reference,
      manifest,
      config,
      layers,
      diffIds,
      defaults: held.defaults,
      open: async function* (digest, offset = 0) {
        const blob = bytes.get(digest);
        if (blob !== undefined) yield blob.subarray(offset);
      },
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
