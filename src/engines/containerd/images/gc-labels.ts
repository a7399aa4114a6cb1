import type { BlobDescriptor } from "../../../engine/index.ts";

/** Labels by their key. */
export type Labels = Readonly<Record<string, string>>;

const CONTENT_REF = "containerd.io/gc.ref.content";
const SNAPSHOT_REF = "containerd.io/gc.ref.snapshot";
/** On a layer: the digest of the tar inside. */
export const LABEL_UNCOMPRESSED = "containerd.io/uncompressed";
/** On a snapshot that is being unpacked: the chain id that it will be. */
export const LABEL_SNAPSHOT_REF = "containerd.io/snapshot.ref";
/** On a lease: when it ends by itself, as RFC 3339. */
export const LABEL_EXPIRE = "containerd.io/gc.expire";

/**
 * What an index keeps alive: the one manifest that was fetched, never those of other platforms, which
 * are not in the store.
 *
 * @param position of the manifest in the index
 */
export function indexLabels(position: number, manifestDigest: string): Labels {
  return { [`${CONTENT_REF}.m.${position}`]: manifestDigest };
}

/** What a manifest keeps alive: its config and layers. */
export function manifestLabels(configDigest: string, layers: readonly BlobDescriptor[]): Labels {
  return {
    [`${CONTENT_REF}.config`]: configDigest,
    ...Object.fromEntries(layers.map(({ digest }, at) => [`${CONTENT_REF}.l.${at}`, digest])),
  };
}

/** What a config keeps alive: the unpacked image, through its topmost layer. */
export function configLabels(snapshotter: string, topChainId: string | undefined): Labels {
  return topChainId === undefined ? {} : { [`${SNAPSHOT_REF}.${snapshotter}`]: topChainId };
}
