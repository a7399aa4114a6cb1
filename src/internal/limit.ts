/**
 * Runs a task as soon as fewer than the limit's number run, in the order asked; one that continues with what was
 * begun may be asked for ahead of all that were not.
 */
export type Limiter = <T>(
  task: () => Promise<T> | T,
  options?: { readonly ahead?: boolean },
) => Promise<T>;

/** A limiter that lets `limit` tasks run at once. */
export function createLimiter(limit: number): Limiter {
  const waiting: (() => void)[] = [];
  const ahead: (() => void)[] = [];
  let free = limit;
  return async (task, options) => {
    const queue = options?.ahead === true ? ahead : waiting;
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await task();
    } finally {
      const next = ahead.shift() ?? waiting.shift();
      // the place is handed over, so that nobody who comes now overtakes
      if (next === undefined) free += 1;
      else next();
    }
  };
}

/** Maps items, `limit` at once, and keeps their order; the first failure rejects, after those begun have ended. */
export async function mapLimited<T, R>(
  items: Iterable<T>,
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const run = createLimiter(limit);
  const failure: { error?: unknown; happened: boolean } = { happened: false };
  const results = await Promise.all(
    [...items].map((item) =>
      run(async () => {
        if (failure.happened) return undefined;
        try {
          return await map(item);
        } catch (error) {
          if (!failure.happened) Object.assign(failure, { error, happened: true });
          return undefined;
        }
      }),
    ),
  );
  if (failure.happened) throw failure.error;
  return results as R[];
}
