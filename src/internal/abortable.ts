import { onAbort } from "./on-abort.ts";

/** Waits for what others may wait for too; at an abort this one leaves, and it continues. @throws what the signal says */
export async function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await promise;
  let leave: ((reason: unknown) => void) | undefined;
  const left = new Promise<never>((_, reject) => {
    leave = reject;
  });
  using _waiting = onAbort(signal, () => leave?.(signal.reason));
  return await Promise.race([promise, left]);
}
