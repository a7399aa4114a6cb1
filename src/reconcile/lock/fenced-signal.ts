import { setMaxListeners } from "node:events";
import { onAbort } from "../../internal/index.ts";

/** What is held for a time. */
interface Held {
  /** Aborted when it is known to be lost. */
  readonly signal: AbortSignal;
  /** Looks at the clock. */
  isExpired(): boolean;
}

/**
 * A signal that is aborted when any of `signals` or the lock's own is, and that looks at the clock
 * whenever it is asked. A process that was stopped past the end of its lock continues in the middle of
 * a step: the first answer that comes in would be followed by the next write, before any timer has
 * had its turn. Whoever asks `throwIfAborted()` before writing is stopped in time.
 */
export function fencedSignal(
  lock: Held,
  signals: readonly AbortSignal[],
): AbortSignal & Disposable {
  const controller = new AbortController();
  const { signal } = controller;
  // every pod of the host waits for it
  setMaxListeners(0, signal);
  const sources = [lock.signal, ...signals];
  // the user's own is that of every host
  const waiting = sources.map((source) => onAbort(source, () => controller.abort(source.reason)));
  const isAborted = (): boolean => {
    // losing it aborts lock.signal, and that this one
    lock.isExpired();
    return Reflect.get(AbortSignal.prototype, "aborted", signal) as boolean;
  };
  Object.defineProperty(signal, "aborted", { get: isAborted });
  Object.defineProperty(signal, "throwIfAborted", {
    value: () => {
      if (isAborted()) throw signal.reason;
    },
  });
  return Object.assign(signal, {
    [Symbol.dispose]: () => {
      for (const each of waiting) each[Symbol.dispose]();
    },
  });
}
