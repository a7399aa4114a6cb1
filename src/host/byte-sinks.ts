import type { ByteSink } from "./host.ts";

/** What is kept of output in which a line is looked for. */
const HELD_MAX = 64 * 1024;

/**
 * A sink that passes on what comes after a line, which is the program's own word that something begins; what
 * comes before is held, and can be asked for. Lines may end as terminals end them.
 */
export class AfterLine {
  readonly #line: RegExp;
  readonly #sink: ByteSink;
  readonly #onFound: (match: RegExpExecArray) => void;
  #held = Buffer.alloc(0);
  #isFound = false;

  /** @param line matches the line with its end */
  constructor(line: RegExp, sink: ByteSink, onFound: (match: RegExpExecArray) => void = () => {}) {
    this.#line = line;
    this.#sink = sink;
    this.#onFound = onFound;
  }

  /** Whether the line has come. */
  get isFound(): boolean {
    return this.#isFound;
  }

  /** What came before it; all that came while it has not. */
  get held(): string {
    return this.#held.toString("latin1");
  }

  async put(bytes: Uint8Array): Promise<void> {
    if (this.#isFound) return await this.#sink(bytes);
    // one byte a character: places in the text are places in the bytes
    this.#held = Buffer.concat([this.#held, bytes]).subarray(-HELD_MAX);
    const match = this.#line.exec(this.held);
    if (match === null) return;
    this.#isFound = true;
    const rest = this.#held.subarray(match.index + match[0].length);
    this.#held = this.#held.subarray(0, match.index);
    this.#onFound(match);
    if (rest.length > 0) await this.#sink(rest);
  }
}

/** A sink that keeps the end of what it passes on. */
export class LastBytes {
  readonly #sink: ByteSink;
  readonly #size: number;
  #end = Buffer.alloc(0);

  constructor(sink: ByteSink, size = 4096) {
    this.#sink = sink;
    this.#size = size;
  }

  /** The end of it. */
  get text(): string {
    return this.#end.toString("utf8");
  }

  async put(bytes: Uint8Array): Promise<void> {
    this.#end = Buffer.concat([this.#end, bytes.subarray(-this.#size)]).subarray(-this.#size);
    await this.#sink(bytes);
  }
}
