/** Bytes that come before somebody takes them, in order; says what was taken, so that more may come. */
export class ByteQueue implements AsyncIterable<Buffer> {
  readonly #onTaken: (bytes: number) => void;
  readonly #waiting: Buffer[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;
  #error: unknown;

  constructor(onTaken: (bytes: number) => void) {
    this.#onTaken = onTaken;
  }

  push(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#wake?.();
  }

  end(error?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#onTaken(next.length);
        yield next;
      } else if (this.#isOver) {
        if (this.#error !== undefined) throw this.#error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
