import { setMaxListeners } from "node:events";

/**
 * A signal that is aborted as soon as one of several is; any number may wait for it.
 *
 * Node 20 warns of a leak where more than ten listen to a signal that nobody says this of.
 */
export function anySignal(signals: Iterable<AbortSignal>): AbortSignal {
  const signal = AbortSignal.any([...signals]);
  setMaxListeners(0, signal);
  return signal;
}
