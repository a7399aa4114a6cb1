import type { Word } from "./tokenize.ts";

/** What words can put in. */
export interface Variables {
  readonly args: readonly string[];
  readonly status: number;
  value(name: string): string | undefined;
}

/** Puts variables in and splits what they hold at white space, unless it is quoted. */
export function expandWords(words: readonly Word[], variables: Variables): string[] {
  return words.flatMap((word) => expandWord(word, variables));
}

/** Puts variables in without splitting, as assignments and redirections do. */
export function expandText(word: Word, variables: Variables): string {
  return word
    .map((part) => ("text" in part ? part.text : lookUp(part.name, part.fallback, variables)))
    .join("");
}

function expandWord(word: Word, variables: Variables): string[] {
  const [first] = word;
  if (word.every((part) => "text" in part ? part.text === "" : part.name === "@") && word.some((part) => "name" in part)) {
    return [...variables.args];
  }
  const fields: string[] = [];
  let current: string | undefined = first !== undefined && "text" in first ? "" : undefined;
  for (const part of word) {
    const text = "text" in part ? part.text : lookUp(part.name, part.fallback, variables);
    if (part.quoted || "text" in part) {
      current = (current ?? "") + text;
      continue;
    }
    for (const [index, piece] of text.split(/\s+/).entries()) {
      if (index > 0) {
        if (current !== undefined && current !== "") fields.push(current);
        current = undefined;
      }
      if (piece !== "") current = (current ?? "") + piece;
    }
  }
  if (current !== undefined) fields.push(current);
  return fields;
}

function lookUp(name: string, fallback: string | undefined, variables: Variables): string {
  if (name === "?") return String(variables.status);
  if (name === "#") return String(variables.args.length);
  if (name === "$") return "1";
  if (name === "@" || name === "*") return variables.args.join(" ");
  const value = variables.value(name);
  return value === undefined || value === "" ? (fallback ?? value ?? "") : value;
}
