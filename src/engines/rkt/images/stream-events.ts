/** What a stream tells of itself. */
interface Emitter {
  once(event: string, listener: () => void): unknown;
}

/** Comes when a stream is closed, by its end or by a failure. Asked once a stream: each asking is a listener. */
export function closeOf(stream: Emitter): Promise<void> {
  return new Promise((resolve) => stream.once("close", () => resolve()));
}

/** Waits until a stream takes more, or will take nothing any more. */
export async function drainOf(stream: Emitter, closed: Promise<void>): Promise<void> {
  await Promise.race([
    new Promise<void>((resolve) => stream.once("drain", () => resolve())),
    closed,
  ]);
}
