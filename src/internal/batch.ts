import { onAbort } from "./on-abort.ts";

/** One who asked, and what for. */
interface Asking<T, I> {
  readonly ids: readonly I[];
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
}

/** How a {@link Batch} runs. */
export interface BatchOptions {
  /** Commands that run at once. */
  readonly lanes: number;
  /** Askers that one command serves at most. */
  readonly most: number;
  /** Whether who gives up while a command runs for it is let go at once, or when that has ended. */
  readonly letsGo: boolean;
}

/**
 * One command for all who asked for the same while others ran: a process costs more than what it does
 * for one of them. Whoever asks gets an answer to a command that began afterwards.
 *
 * Where a command for several fails, each of them is tried alone, so that nobody gets another's error.
 */
export class Batch<T, I = string> {
  readonly #run: (ids: readonly I[]) => Promise<T>;
  readonly #options: BatchOptions;
  readonly #waiting: Asking<T, I>[] = [];
  #running = 0;

  constructor(run: (ids: readonly I[]) => Promise<T>, options: BatchOptions) {
    this.#run = run;
    this.#options = options;
  }

  /** Does it for these. An abort ends no command, since that is others' too. */
  async ask(ids: readonly I[], signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    let giveUp = (): void => undefined;
    using _waiting = onAbort(signal, () => giveUp());
    const answer = await new Promise<T>((resolve, reject) => {
      const asking = { ids, resolve, reject };
      giveUp = () => this.#giveUp(asking, signal?.reason);
      this.#waiting.push(asking);
      this.#next();
    });
    signal?.throwIfAborted();
    return answer;
  }

  #giveUp(asking: Asking<T, I>, reason: unknown): void {
    const at = this.#waiting.indexOf(asking);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (at >= 0 || this.#options.letsGo) asking.reject(reason);
  }

  #next(): void {
    if (this.#running === this.#options.lanes || this.#waiting.length === 0) return;
    const group = this.#waiting.splice(0, this.#options.most);
    this.#running += 1;
    void this.#serve(group).finally(() => {
      this.#running -= 1;
      this.#next();
    });
  }

  async #serve(group: readonly Asking<T, I>[]): Promise<void> {
    try {
      const answer = await this.#run([...new Set(group.flatMap(({ ids }) => ids))]);
      for (const { resolve } of group) resolve(answer);
    } catch (error) {
      if (group.length > 1) for (const each of group) await this.#serve([each]);
      else for (const { reject } of group) reject(error);
    }
  }
}
