import { NO_GROUP } from "../logs.ts";
import { NOT_LAUNCHED } from "../run/launch-script.ts";

/** Status of every error of rkt's, fly's included. */
const RKT_ERROR = 254;

/** What stands in the output when a start failed, by the status that it then ends with. */
const FAILURES: Readonly<Record<number, RegExp>> = {
  [RKT_ERROR]: /^(?:run|run-prepared|stage1): /,
  // the pod's systemd could not run the command
  203: /Error: Unable to open /,
  // it could not begin: the host has no inotify instances left
  255: /Failed to allocate manager object/,
  [NOT_LAUNCHED]: /./,
  1: /^(?:prlimit|unshare|nsenter|setpriv): /,
};

/** Lines of output that may come after what failed. */
const LAST_LINES = 20;

/** Whether a container's end, as its supervisor wrote it down, may be that of a start that failed. */
export function mayHaveFailed(exit: string): boolean {
  return FAILURES[statusOf(exit)] !== undefined;
}

/**
 * Why a start failed.
 *
 * @param exit its end, as its supervisor wrote it down
 * @param output the newest of its output
 * @returns undefined when it did not fail: its process began and ended
 */
export function failureOf(exit: string, output: string): string | undefined {
  const status = statusOf(exit);
  const [, , ...words] = exit.trim().split(" ");
  if (status === NOT_LAUNCHED && words.length > 0) return words.join(" ");
  const failure = FAILURES[status];
  if (failure === undefined) return undefined;
  const lines = output.trimEnd().split("\n").slice(-LAST_LINES);
  // an app may end with rkt's own status: only where rkt speaks last did it fail
  return (status === RKT_ERROR ? lines.slice(-1) : lines)
    .map((line) => line.trim())
    .findLast((line) => failure.test(line) && line !== NO_GROUP)
    ?.slice(0, 300);
}

function statusOf(exit: string): number {
  return Number(exit.trim().split(" ")[0]);
}
