import { constants } from "node:os";

const IGNORED_BY_DEFAULT = new Set(["SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH"]);

/** Exit code of a process that a signal ended. */
export function signalExitCode(signal: string): number {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return 128 + (numbers[signal] ?? 0);
}

/** Whether a signal does nothing to a process that set up nothing for it. */
export function isIgnoredByDefault(signal: string): boolean {
  return IGNORED_BY_DEFAULT.has(signal);
}

/** A signal as `trap` and images name it: with or without SIG, or by its number. */
export function signalName(text: string): string {
  if (/^\d+$/.test(text)) {
    const found = Object.entries(constants.signals).find(([, number]) => number === Number(text));
    return found?.[0] ?? text;
  }
  return text.startsWith("SIG") || text === "EXIT" ? text : `SIG${text}`;
}
