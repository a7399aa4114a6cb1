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
/** The highest number of a signal. */
export const RTMAX = 64;

const OFFSET = "(?:[12]?\\d|30)";

/** Name of a signal that Linux has, as it is declared: `SIGTERM`, `SIGRTMIN+3`, `SIGRTMAX-1`. */
export const SIGNAL_NAME = new RegExp(
  `^SIG(?:${Object.keys(NUMBERS).join("|")}|RTMIN(?:\\+${OFFSET})?|RTMAX(?:-${OFFSET})?)$`,
);

/** Number of a signal by its name without `SIG`; undefined where Linux has none. */
export function signalNamed(name: string): number | undefined {
  const [, base, offset = "0"] = /^(RTMIN|RTMAX)(?:\+?(-?\d+))?$/.exec(name) ?? [];
  if (base === undefined) return Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined;
  return (base === "RTMIN" ? RTMIN : RTMAX) + Number(offset);
}
