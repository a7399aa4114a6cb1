/** Name of an image in every engine's store: its reference with the digest that it must have. */
export function imageName(reference: string, digest: string): string {
  const at = reference.indexOf("@");
  return `${at < 0 ? reference : reference.slice(0, at)}@${digest}`;
}
