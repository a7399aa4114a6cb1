import { StowageError } from "../errors/index.ts";

/** Numbers of Linux's signals; the machine that Stowage runs on may have others. */
const NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  IOT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  POLL: 29,
  PWR: 30,
  SYS: 31,
};

const RTMIN = 34;
const RTMAX = 64;

/**
 * Number of a signal by its name (`SIGTERM`, `TERM`, `SIGRTMIN+3`) or as a number in text.
 *
 * @throws StowageError `invalid_argument` when Linux has no such signal
 */
export function signalNumber(signal: string): number {
  const name = signal.toUpperCase().replace(/^SIG/, "");
  const [, base, offset = "0"] = /^(RTMIN|RTMAX)(?:\+?(-?\d+))?$/.exec(name) ?? [];
  const number =
    base !== undefined
      ? (base === "RTMIN" ? RTMIN : RTMAX) + Number(offset)
      : /^\d+$/.test(name)
        ? Number(name)
        : NUMBERS[name];
  if (number !== undefined && number >= 1 && number <= RTMAX) return number;
  throw new StowageError(
    `Cannot send signal "${signal}": Linux has no such signal; name one such as SIGTERM`,
    {
      code: "invalid_argument",
      context: { signal },
    },
  );
}
