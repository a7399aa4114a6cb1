import type { Session } from "./session.ts";

/**
 * Sends bytes to a call of the agent that takes them as they come, and waits for its answer. An abort has it
 * stop, and does not wait.
 */
export async function streamBytes(
  session: Session,
  question: readonly (string | number)[],
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const channel = session.open(question);
  try {
    for await (const part of bytes) {
      signal?.throwIfAborted();
      if (channel.isOver) break;
      await channel.write(part);
    }
    signal?.throwIfAborted();
    channel.end();
    await channel.answer;
  } catch (error) {
    channel.cancel();
    // whoever hears of it finds nothing half-written, by whatever way they look
    if (signal?.aborted !== true) await channel.answer.catch(() => undefined);
    throw error;
  }
}
