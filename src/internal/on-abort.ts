/** What is to be done at the abort of a signal. */
interface Waiting {
  readonly acts: Set<() => void>;
  readonly listener: () => void;
}

/** One listener a signal, however many wait for it. */
const waiting = new WeakMap<AbortSignal, Waiting>();

/**
 * Does something once when a signal is aborted, at once where it already is; whoever disposes of it waits no more.
 *
 * Nothing listens when nobody waits: Node keeps a signal that was made of others as long as one does, for ever
 * where none of them is aborted.
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): Disposable {
  if (signal === undefined) return { [Symbol.dispose]: () => {} };
  if (signal.aborted) {
    act();
    return { [Symbol.dispose]: () => {} };
  }
  // each caller has its own, also of the same function
  const own = (): void => act();
  const { acts, listener } = waiting.get(signal) ?? listenTo(signal);
  acts.add(own);
  return {
    [Symbol.dispose]: () => {
      if (!acts.delete(own) || acts.size > 0) return;
      signal.removeEventListener("abort", listener);
      waiting.delete(signal);
    },
  };
}

function listenTo(signal: AbortSignal): Waiting {
  const acts = new Set<() => void>();
  const listener = (): void => {
    for (const act of acts) act();
  };
  signal.addEventListener("abort", listener, { once: true });
  const made = { acts, listener };
  waiting.set(signal, made);
  return made;
}
