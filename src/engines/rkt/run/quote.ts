/** A text as one word of a shell's command line. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Texts as words of a shell's command line. */
export function quoteAll(texts: readonly string[]): string {
  return texts.map(quote).join(" ");
}
