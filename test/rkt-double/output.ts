import { writeSync } from "node:fs";

/** Ends the program with a code; whatever had to be said has been said. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number, options?: ErrorOptions) {
    super(`exit ${code}`, options);
    this.code = code;
  }
}

/** Writes to stdout, whole even where it is a full pipe. */
export function print(text: string): void {
  writeAll(1, Buffer.from(text));
}

/** Writes to stderr. */
export function complain(text: string): void {
  writeAll(2, Buffer.from(text));
}

/** Ends as rkt does on most errors: a line on stderr, exit 254. */
export function fail(message: string): never {
  complain(`${message}\n`);
  throw new Exit(254);
}

/** Ends because no transcript shows what rkt does here; the double does not guess. */
export function refuse(what: string): never {
  return fail(`rkt-double: ${what}: no transcript shows what rkt does then`);
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
