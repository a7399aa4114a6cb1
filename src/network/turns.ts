import { Turns } from "../internal/index.ts";

const turns = new Turns();

/**
 * Runs a task when no other of the same key runs in this process: several engines of one host share its
 * networks. Other processes are kept away by the host's lock.
 */
export async function takeTurn<T>(key: string, task: () => Promise<T>): Promise<T> {
  return await turns.take(key, task);
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
