/** Lets tasks of one name run one after the other, and those of different names at once. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs a task when all that asked for the same name before it have ended. */
  async take<T>(name: string, task: () => Promise<T>): Promise<T> {
    const run = (this.#last.get(name) ?? Promise.resolve()).then(task);
    const ended = run.catch(() => undefined);
    this.#last.set(name, ended);
    try {
      return await run;
    } finally {
      if (this.#last.get(name) === ended) this.#last.delete(name);
    }
  }
}
