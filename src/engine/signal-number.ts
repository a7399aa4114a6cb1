import { StowageError } from "../errors/index.ts";
import { RTMAX, signalNamed } from "../model/index.ts";

/**
 * Number of a signal by its name (`SIGTERM`, `TERM`, `SIGRTMIN+3`) or as a number in text.
 *
 * @throws StowageError `invalid_argument` when Linux has no such signal
 */
export function signalNumber(signal: string): number {
  const name = signal.toUpperCase().replace(/^SIG/, "");
  const number = /^\d+$/.test(name) ? Number(name) : signalNamed(name);
  if (number !== undefined && number >= 1 && number <= RTMAX) return number;
  throw new StowageError(
    `Cannot send signal "${signal}": Linux has no such signal; name one such as SIGTERM`,
    {
      code: "invalid_argument",
      context: { signal },
    },
  );
}
