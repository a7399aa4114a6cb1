import type { VariablePart, Word } from "./tokenize.ts";

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
  return word.map((part) => ("text" in part ? part.text : lookUp(part, variables))).join("");
}

function expandWord(word: Word, variables: Variables): string[] {
  if (isAllArguments(word)) return [...variables.args];
  const fields = new Fields();
  for (const part of word) {
    const text = "text" in part ? part.text : lookUp(part, variables);
    if (part.quoted || "text" in part) fields.add(text);
    else fields.addSplit(text);
  }
  return fields.finish();
}

/** What one word becomes: several words where a variable in it holds white space. */
class Fields {
  readonly #done: string[] = [];
  #current: string | undefined;

  add(text: string): void {
    this.#current = (this.#current ?? "") + text;
  }

  addSplit(text: string): void {
    for (const [index, piece] of text.split(/\s+/).entries()) {
      if (index > 0) this.#end();
      if (piece !== "") this.add(piece);
    }
  }

  finish(): string[] {
    this.#end();
    return this.#done;
  }

  #end(): void {
    if (this.#current !== undefined) this.#done.push(this.#current);
    this.#current = undefined;
  }
}

function isAllArguments(word: Word): boolean {
  const names = word.flatMap((part) => ("name" in part ? [part.name] : []));
  const texts = word.flatMap((part) => ("text" in part ? [part.text] : []));
  return names.length === 1 && names[0] === "@" && texts.every((text) => text === "");
}

function lookUp({ name, fallback, orEmpty }: VariablePart, variables: Variables): string {
  if (name === "?") return String(variables.status);
  if (name === "#") return String(variables.args.length);
  if (name === "$") return "1";
  if (name === "@" || name === "*") return variables.args.join(" ");
  const value = variables.value(name);
  const unset = value === undefined || (orEmpty === true && value === "");
  return unset ? (fallback ?? "") : value;
}
