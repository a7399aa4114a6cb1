const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

/** Whether the text is a digest by an algorithm that images register, spelt as they require. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** Where a layout keeps a blob: no part of it comes from anything but a checked digest. */
export function blobPath(digest: string): string {
  if (!isDigest(digest)) throw new TypeError(`Cannot name a blob by ${JSON.stringify(digest)}`);
  return `blobs/${digest.replace(":", "/")}`;
}
