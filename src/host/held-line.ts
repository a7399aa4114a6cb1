import type { ByteSink } from "./host.ts";

/** A line that a program writes in the middle of its command's output. */
export interface OwnLine {
  /** What it begins with. */
  readonly leads: readonly string[];
  /** What it looks like while its end has not come, after its lead. */
  readonly begun: RegExp;
  readonly whole: RegExp;
}

/**
 * A sink of a command's output that keeps a last line from being passed on which the program that runs the command
 * wrote. A line that may be one waits for its end, and one that is for what comes after it; all else goes on at once.
 */
export class HeldLine {
  readonly #own: OwnLine;
  readonly #sink: ByteSink;
  #held = Buffer.alloc(0);
  /** Whether the next byte begins a line. */
  #atStart = true;

  constructor(own: OwnLine, sink: ByteSink) {
    this.#own = own;
    this.#sink = sink;
  }

  async put(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const all = Buffer.concat([this.#held, bytes]);
    const isWhole = this.#held.length > 0 || this.#atStart;
    // one byte a character: places in the text are places in the bytes
    const text = all.toString("latin1");
    const from = text.lastIndexOf("\n", text.length - 2) + 1;
    const isHeld = (from > 0 || isWhole) && this.#mayBeOwn(text.slice(from));
    const passed = isHeld ? all.subarray(0, from) : all;
    this.#held = isHeld ? all.subarray(from) : Buffer.alloc(0);
    this.#atStart = text.endsWith("\n");
    if (passed.length > 0) await this.#sink(passed);
  }

  /** @param isOwn whether what is held is the program's line, and no command's */
  async end(isOwn: boolean): Promise<void> {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    if (held.length > 0 && !isOwn) await this.#sink(held);
  }

  #mayBeOwn(line: string): boolean {
    const { leads, begun, whole } = this.#own;
    if (line.endsWith("\n")) return leads.some((lead) => line.startsWith(lead)) && whole.test(line);
    return leads.some((lead) => lead.startsWith(line)) || begun.test(line);
  }
}
