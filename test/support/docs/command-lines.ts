import { codeBlocks, codeSpans, indentedLines } from "./markdown.ts";

/** A call of stowage as documentation shows it: the words after the program's name. */
export interface CommandLine {
  readonly text: string;
  readonly words: readonly string[];
  /** It stands on a line of its own, to be typed as it is; a mention in a sentence may leave operands out. */
  readonly isWhole: boolean;
}

/** Begins a call: at a command's place, by its path, or behind npx. */
const CALL = /(?:^|[\s;&|(/])stowage ([a-z-].*)$/;
/** A word of a shell, in quotes or bare, or what ends the command. */
const TOKEN = /'([^']*)'|"([^"]*)"|((?:^|(?<=\s))#|[|;&<>])|([^\s'"|;&<>]+)/g;

/** Calls of a page, and options that it names alone. */
export function commandLines(text: string): readonly CommandLine[] {
  const lines = [
    ...indentedLines(text),
    ...codeBlocks(text).flatMap(({ code }) => code.split("\n")),
  ];
  return [
    ...lines.flatMap((line) => call(line, true)),
    ...codeSpans(text).flatMap((span) => call(span, false)),
  ];
}

/** Options that a page names without a command, each with its value where it has one. */
export function loneOptions(text: string): readonly CommandLine[] {
  return codeSpans(text)
    .filter((span) => /^--[a-z]/.test(span))
    .map((span) => ({ text: span, words: shellWords(span), isWhole: false }));
}

/** Calls in a line of a shell. */
export function call(line: string, isWhole: boolean): readonly CommandLine[] {
  const rest = CALL.exec(line)?.[1];
  return rest === undefined ? [] : [{ text: line.trim(), words: shellWords(rest), isWhole }];
}

/** Words up to what ends the command. A full stop belongs to the sentence. */
function shellWords(text: string): readonly string[] {
  const words: string[] = [];
  for (const [, single, double, end, bare] of text.matchAll(TOKEN)) {
    if (end !== undefined) break;
    words.push(single ?? double ?? bare?.replace(/\.$/, "") ?? "");
  }
  return words;
}
