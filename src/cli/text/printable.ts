/** Control characters, line separators, and those that turn the direction of writing. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu;

/** Text that cannot steer a terminal or break a line: control characters are written as escapes. */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, escaped);
}

/** Like {@link printable}, with line ends and tabs kept. */
export function printableLines(text: string): string {
  return text.replaceAll(CONTROL, (character) =>
    character === "\n" || character === "\t" ? character : escaped(character),
  );
}

function escaped(character: string): string {
  const named = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character];
  return named ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
