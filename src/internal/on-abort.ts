/** What is to be done at the abort of each signal: one listener a signal, however many wait for it. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Does something once when a signal is aborted, at once where it already is; whoever disposes of it waits no more. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): Disposable {
  if (signal === undefined) return { [Symbol.dispose]: () => {} };
  if (signal.aborted) {
    act();
    return { [Symbol.dispose]: () => {} };
  }
  // each caller has its own, also of the same function
  const own = (): void => act();
  const all = waiting.get(signal) ?? listenTo(signal);
  all.add(own);
  return { [Symbol.dispose]: () => void all.delete(own) };
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>();
  waiting.set(signal, all);
  signal.addEventListener(
    "abort",
    () => {
      for (const act of all) act();
    },
    { once: true },
  );
  return all;
}
