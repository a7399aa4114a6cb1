/** Lets any number of tasks of one kind run together, and each of the other kind alone. */
export class Gate {
  readonly #together = new Set<Promise<unknown>>();
  #alone: Promise<unknown> = Promise.resolve();

  /** Runs a task beside others like it, after those that asked to be alone before it. */
  async together<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#alone.then(task);
    const ended = run.catch(() => undefined);
    this.#together.add(ended);
    void ended.then(() => this.#together.delete(ended));
    return await run;
  }

  /** Runs a task when all that asked before it have ended, and nothing else until it has. */
  async alone<T>(task: () => Promise<T>): Promise<T> {
    const run = Promise.all([this.#alone, ...this.#together]).then(task);
    this.#alone = run.catch(() => undefined);
    return await run;
  }
}
