/** A variable in a word. */
export interface VariablePart {
  readonly name: string;
  /** What stands for it where it is not set, and with `orEmpty` also where it is empty. */
  readonly fallback?: string;
  readonly orEmpty?: boolean;
  readonly quoted: boolean;
}

/** A part of a word: text as it stands, or a variable to put in. */
export type WordPart = { readonly text: string; readonly quoted: boolean } | VariablePart;

/** A word before its variables are put in. */
export type Word = readonly WordPart[];

/** A piece of a script. */
export type Token =
  | { readonly kind: "word"; readonly parts: Word }
  | { readonly kind: "operator"; readonly text: string };

const OPERATORS = ["&&", "||", ";;", ">>", ">&", "<", ">", ";", "&", "|", "(", ")", "\n"];
const SPECIAL = /[\s;&|<>()"'\\$]/;
const VARIABLE = /^\$(?:([A-Za-z_]\w*|[0-9@*#?$!])|\{([A-Za-z_]\w*|[0-9])(?:(:?)-([^}]*))?\})/;

/** Splits a script of the toy shell into words and operators; a digit before `>` is its own operator. */
export function tokenize(script: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < script.length) {
    const rest = script.slice(at);
    const skipped = /^(?:[ \t]+|\\\n|#[^\n]*)/.exec(rest)?.[0];
    const descriptor = /^[012](?=[<>])/.exec(rest)?.[0];
    const operator = descriptor ?? OPERATORS.find((text) => rest.startsWith(text));
    if (skipped !== undefined) at += skipped.length;
    else if (operator !== undefined) {
      tokens.push({ kind: "operator", text: operator });
      at += operator.length;
    } else {
      const { parts, length } = readWord(rest);
      tokens.push({ kind: "word", parts });
      at += length;
    }
  }
  return tokens;
}

function readWord(text: string): { parts: Word; length: number } {
  const parts: WordPart[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '"') at += readQuoted(text.slice(at), parts);
    else if (char === "'") {
      const end = text.indexOf("'", at + 1);
      const stop = end < 0 ? text.length : end;
      parts.push({ text: text.slice(at + 1, stop), quoted: true });
      at = stop + 1;
    } else if (char === "\\") {
      parts.push({ text: text.charAt(at + 1), quoted: true });
      at += 2;
    } else if (char === "$") at += readVariable(text.slice(at), parts, false);
    else if (SPECIAL.test(char)) break;
    else {
      parts.push({ text: char, quoted: false });
      at += 1;
    }
  }
  return { parts, length: at };
}

function readQuoted(text: string, parts: WordPart[]): number {
  let at = 1;
  parts.push({ text: "", quoted: true });
  while (at < text.length && text.charAt(at) !== '"') {
    const char = text.charAt(at);
    if (char === "$") at += readVariable(text.slice(at), parts, true);
    else if (char === "\\" && /["\\$]/.test(text.charAt(at + 1))) {
      parts.push({ text: text.charAt(at + 1), quoted: true });
      at += 2;
    } else {
      parts.push({ text: char, quoted: true });
      at += 1;
    }
  }
  return at + 1;
}

function readVariable(text: string, parts: WordPart[], quoted: boolean): number {
  const match = VARIABLE.exec(text);
  const name = match?.[1] ?? match?.[2];
  if (match === null || name === undefined) {
    parts.push({ text: "$", quoted: true });
    return 1;
  }
  const fallback = match[4];
  const orEmpty = match[3] === ":";
  parts.push({ name, quoted, ...(fallback === undefined ? {} : { fallback, orEmpty }) });
  return match[0].length;
}
