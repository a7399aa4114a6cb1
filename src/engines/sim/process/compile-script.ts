import { type Token, tokenize, type Word } from "./tokenize.ts";

/** Where a command's output or input goes. */
export interface Redirect {
  readonly descriptor: number;
  readonly kind: "write" | "append" | "read" | "duplicate";
  readonly target: Word;
}

/** One instruction of a script; `to` is the number of another. */
export type Instruction =
  | {
      readonly kind: "run";
      readonly words: readonly Word[];
      readonly redirects: readonly Redirect[];
      readonly background: boolean;
    }
  | { readonly kind: "jump" | "jump-if-ok" | "jump-if-failed"; readonly to: number }
  | { readonly kind: "not" | "succeed" }
  | { readonly kind: "syntax-error" };

/** A script as a list of instructions: where a process stands in it is one number. */
export type Program = readonly Instruction[];

/**
 * Compiles a script: simple commands with redirections, `;` `&` `&&` `||` `!`, `if`, `while`,
 * `until` and braces. Anything else is a syntax error, as a shell has them: exit code 2.
 */
export function compileScript(script: string): Program {
  const compiler = new Compiler(tokenize(script));
  return compiler.compile();
}

/** A program that runs one command with no shell around it. */
export function compileCommand(argv: readonly string[]): Program {
  const words = argv.map((text): Word => [{ text, quoted: true }]);
  return [{ kind: "run", words, redirects: [], background: false }];
}

class SyntaxTrouble extends Error {}

class Compiler {
  readonly #tokens: readonly Token[];
  readonly #program: Instruction[] = [];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  compile(): Program {
    try {
      this.#list([]);
      if (this.#at < this.#tokens.length) throw new SyntaxTrouble();
      return this.#program;
    } catch (error) {
      if (error instanceof SyntaxTrouble) return [{ kind: "syntax-error" }];
      throw error;
    }
  }

  #list(ends: readonly string[]): void {
    for (;;) {
      while (this.#take(";") || this.#take("\n") || this.#take("&"));
      if (this.#at >= this.#tokens.length || ends.includes(this.#keyword())) return;
      this.#andOr();
    }
  }

  #andOr(): void {
    this.#command();
    for (;;) {
      const kind = this.#take("&&")
        ? "jump-if-failed"
        : this.#take("||")
          ? "jump-if-ok"
          : undefined;
      if (kind === undefined) return;
      while (this.#take("\n"));
      this.#patched(kind, () => this.#command());
    }
  }

  #command(): void {
    switch (this.#keyword()) {
      case "!":
        this.#at += 1;
        this.#command();
        this.#program.push({ kind: "not" });
        return;
      case "if":
        this.#at += 1;
        this.#branch();
        return;
      case "while":
      case "until":
        this.#loop();
        return;
      case "{":
        this.#at += 1;
        this.#list(["}"]);
        this.#expect("}");
        return;
      default:
        this.#simple();
    }
  }

  #branch(): void {
    this.#list(["then"]);
    this.#expect("then");
    const toElse = this.#program.push({ kind: "jump-if-failed", to: 0 }) - 1;
    this.#list(["elif", "else", "fi"]);
    const toEnd = this.#program.push({ kind: "jump", to: 0 }) - 1;
    this.#program[toElse] = { kind: "jump-if-failed", to: this.#program.length };
    const keyword = this.#keyword();
    this.#at += 1;
    if (keyword === "elif") this.#branch();
    else if (keyword === "else") {
      this.#list(["fi"]);
      this.#expect("fi");
    } else if (keyword === "fi") this.#program.push({ kind: "succeed" });
    else throw new SyntaxTrouble();
    this.#program[toEnd] = { kind: "jump", to: this.#program.length };
  }

  #loop(): void {
    const leave = this.#keyword() === "while" ? "jump-if-failed" : "jump-if-ok";
    this.#at += 1;
    const start = this.#program.length;
    this.#list(["do"]);
    this.#expect("do");
    this.#patched(leave, () => {
      this.#list(["done"]);
      this.#expect("done");
      this.#program.push({ kind: "jump", to: start });
    });
    this.#program.push({ kind: "succeed" });
  }

  #simple(): void {
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    for (let token = this.#tokens[this.#at]; token !== undefined; token = this.#tokens[this.#at]) {
      if (token.kind === "word") {
        words.push(token.parts);
        this.#at += 1;
      } else if (/^[012<>]/.test(token.text)) redirects.push(this.#redirect());
      else break;
    }
    if (words.length === 0) throw new SyntaxTrouble();
    const next = this.#tokens[this.#at];
    const background = next?.kind === "operator" && next.text === "&";
    this.#program.push({ kind: "run", words, redirects, background });
  }

  #redirect(): Redirect {
    const number = ["0", "1", "2"].find((text) => this.#take(text));
    const kinds = { ">>": "append", ">&": "duplicate", ">": "write", "<": "read" } as const;
    const operator = (Object.keys(kinds) as (keyof typeof kinds)[]).find((text) =>
      this.#take(text),
    );
    const target = this.#tokens[this.#at];
    if (operator === undefined || target?.kind !== "word") throw new SyntaxTrouble();
    this.#at += 1;
    const descriptor = number === undefined ? Number(operator !== "<") : Number(number);
    return { descriptor, kind: kinds[operator], target: target.parts };
  }

  #patched(kind: "jump-if-failed" | "jump-if-ok", body: () => void): void {
    const at = this.#program.push({ kind, to: 0 }) - 1;
    body();
    this.#program[at] = { kind, to: this.#program.length };
  }

  #take(operator: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "operator" || token.text !== operator) return false;
    this.#at += 1;
    return true;
  }

  #expect(keyword: string): void {
    if (this.#keyword() !== keyword) throw new SyntaxTrouble();
    this.#at += 1;
  }

  #keyword(): string {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "word") return "";
    const plain = token.parts.every((part) => "text" in part && !part.quoted);
    return plain ? token.parts.map((part) => ("text" in part ? part.text : "")).join("") : "";
  }
}
