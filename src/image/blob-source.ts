import type { IndexEntry } from "./documents.ts";

/** Blobs by their digest. */
export interface BlobSource extends AsyncDisposable {
  /**
   * Bytes of a blob from `offset` (bytes, default 0), in chunks of at most 1 MiB.
   *
   * They are not verified: the caller does that, for instance with `verifyStream`.
   *
   * @throws StowageError `not_found` when there is no such blob.
   */
  open(digest: string, offset?: number): AsyncIterable<Uint8Array>;
  /**
   * Bytes that the blob has.
   *
   * @throws StowageError `not_found` when there is no such blob.
   */
  size(digest: string): Promise<number>;
}

/** A folder or an archive on disk that holds images. */
export interface ImageSource extends BlobSource {
  /** The absolute path, for messages. */
  readonly location: string;
  /** What its `index.json` lists, in its order. */
  readonly entries: readonly IndexEntry[];
}
