/** Messages that arrive, read one at a time; the failure or the end comes after the last of them. */
export class MessageQueue<T> {
  readonly #items: T[] = [];
  readonly #onLevel: (length: number) => void;
  #waiting:
    | { resolve: (result: IteratorResult<T, undefined>) => void; reject: (error: unknown) => void }
    | undefined;
  #end: { readonly error?: unknown } | undefined;

  /** @param onLevel told how many messages wait, to slow the sender down */
  constructor(onLevel: (length: number) => void = () => {}) {
    this.#onLevel = onLevel;
  }

  push(item: T): void {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#items.push(item);
      this.#onLevel(this.#items.length);
      return;
    }
    this.#waiting = undefined;
    waiting.resolve({ done: false, value: item });
  }

  /** Only the first end counts. */
  end(end: { readonly error?: unknown } = {}): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    if ("error" in end) waiting.reject(end.error);
    else waiting.resolve({ done: true, value: undefined });
  }

  /** The next message; one reader at a time. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift() as T;
      this.#onLevel(this.#items.length);
      return Promise.resolve({ done: false, value });
    }
    const end = this.#end;
    if (end !== undefined) {
      return "error" in end
        ? Promise.reject(end.error)
        : Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }
}
