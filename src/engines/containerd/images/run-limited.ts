/**
 * Starts tasks in their order, `limit` at once; one that fails does not stop the others.
 *
 * @returns a promise a task, in the same order
 */
export function runLimited(
  limit: number,
  tasks: readonly (() => Promise<void>)[],
): readonly Promise<void>[] {
  const waiting: (() => void)[] = [];
  let running = 0;
  return tasks.map(async (task) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      await task();
    } finally {
      // the place goes over to the next, or is given up
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  });
}
