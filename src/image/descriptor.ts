/** A pointer to one blob, as image indexes and manifests hold it. */
export interface ImageDescriptor {
  readonly mediaType: string;
  /** `sha256:<64 hex>` or `sha512:<128 hex>`. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}
