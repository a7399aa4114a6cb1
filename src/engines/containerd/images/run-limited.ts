/** Starts tasks in their order, `limit` at once. @returns a promise a task, in the same order */
export function runLimited(limit: number, tasks: readonly (() => Promise<void>)[]): readonly Promise<void>[] {
  const running: Promise<unknown>[] = Array.from({ length: limit }, () => Promise.resolve());
  const waiting = [...running];
  const results: Promise<void>[] = [];
  for (const task of tasks) {
    const slot = Promise.race(waiting.map(async (promise, at) => {
      await promise;
      return at;
    }));
    results.push(slot.then(task));
  }
  return results;
}
