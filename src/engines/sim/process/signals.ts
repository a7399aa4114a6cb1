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

/** A signal as `trap` names it, with or without SIG. */
export function signalName(text: string): string {
  return text.startsWith("SIG") || text === "EXIT" ? text : `SIG${text}`;
}
