import { StowageError } from "../errors/index.ts";

/**
 * What it means that an engine's program is not on the host any more. Where nothing of Stowage's runs that it started,
 * there is no such engine.
 *
 * @param running names of what runs still
 * @returns the error to throw: `not_found` when it is gone, else `unavailable`
 */
export function goneEngine(error: StowageError, running: readonly string[]): StowageError {
  if (running.length === 0)
    return new StowageError(error.message, { code: "not_found", cause: error });
  const text = `${error.message}; what it started still runs: ${running.join(", ")}`;
  return new StowageError(text, { code: "unavailable", cause: error });
}
