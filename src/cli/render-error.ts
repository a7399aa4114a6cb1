import { DiagnosticsError, StowageError } from "../errors/index.ts";
import { sourceStack } from "./project/source-positions.ts";
import type { Paint } from "./text/paint.ts";
import { printableLines } from "./text/printable.ts";

/** An error for people: what, where and the remedy; with its stack and causes only when asked. */
export function renderError(error: unknown, paint: Paint, debug: boolean): string {
  const message = error instanceof Error ? error.message : String(error);
  const lead = StowageError.is(error) ? "Error:" : "Internal error:";
  const lines = [`${paint.red(lead)} ${printableLines(message)}`];
  if (debug) lines.push(printableLines(sourceStack(stackOf(error))));
  else if (!StowageError.is(error)) {
    lines.push("This is a bug in Stowage; run again with --debug to see where");
  }
  return `${lines.join("\n")}\n`;
}

/** An error for programs. */
export function errorJson(error: unknown): {
  readonly error: { code: string; message: string; diagnostics?: unknown };
} {
  const message = error instanceof Error ? error.message : String(error);
  return {
    error: {
      code: StowageError.is(error) ? error.code : "internal",
      message,
      ...(error instanceof DiagnosticsError ? { diagnostics: error.diagnostics } : {}),
    },
  };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const stack = error.stack ?? error.message;
  return error.cause === undefined
    ? stack
    : `${stack}\nCaused by: ${stackOf(error.cause) || String(error.cause)}`;
}
