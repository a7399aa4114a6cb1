import { createLimiter, type Limiter } from "../internal/index.ts";

const limiters = new Map<string, Limiter>();

/**
 * Runs a task when no other of the same key runs in this process: several engines of one host share its
 * networks. Other processes are kept away by the host's lock.
 */
export async function takeTurn<T>(key: string, task: () => Promise<T>): Promise<T> {
  let limiter = limiters.get(key);
  if (limiter === undefined) {
    limiter = createLimiter(1);
    limiters.set(key, limiter);
  }
  return await limiter(task);
}

const waiting = new Map<string, Promise<void>>();

/** Like {@link takeTurn}, once for all who ask before it has begun. */
export function shareTurn(key: string, task: () => Promise<void>): Promise<void> {
  const known = waiting.get(key);
  if (known !== undefined) return known;
  // begun later, so that it is known before it begins
  const turn = Promise.resolve().then(() =>
    takeTurn(key, async () => {
      waiting.delete(key);
      await task();
    }),
  );
  waiting.set(key, turn);
  return turn;
}
