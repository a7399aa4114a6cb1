import { StowageError } from "../../errors/index.ts";
import { onAbort } from "../../internal/index.ts";
import { fileError } from "../local/file-error.ts";
import { mounted } from "../local/remove-directory.ts";
import type { Channel } from "./channel.ts";
import { RemoteError } from "./remote-error.ts";

/** Waits for what the host says; an abort has it stop, and does not wait. */
export async function settle(
  channel: Channel,
  action: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<readonly Buffer[]> {
  using _waiting = onAbort(signal, () => {
    channel.cancel();
    channel.fail(signal?.reason);
  });
  try {
    return await channel.answer;
  } catch (error) {
    signal?.throwIfAborted();
    throw toStowageError(error, action, path);
  }
}

/** An error of the host's system in the same words as one of this machine's. */
export function toStowageError(error: unknown, action: string, path: string): unknown {
  if (!(error instanceof RemoteError)) return error;
  if (error.code === "EMOUNTED") return mounted(error.path ?? path);
  return fileError(error, error.action ?? action, error.path ?? path);
}

export function refused(address: string, path: string, cause: Error): StowageError {
  return new StowageError(
    `Cannot reach socket "${path}" of host ${address}: nothing listens there (ECONNREFUSED); start what should`,
    { code: "unavailable", context: { address, path, state: "ECONNREFUSED" }, cause },
  );
}
