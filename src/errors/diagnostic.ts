import { StowageError } from "./stowage-error.ts";

/** One finding about the input: all of them are reported at once, never only the first. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  /** One line: what is wrong. */
  readonly summary: string;
  /** Why it is wrong, and what to do. */
  readonly detail?: string;
  /** Where: a path in the manifest (`hosts.edge-a.pods.web.ports[0]`) or of a construct. */
  readonly path: string;
}

/** Thrown when the input has errors; carries every diagnostic found. */
export class DiagnosticsError extends StowageError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(what: string, diagnostics: readonly Diagnostic[]) {
    super([`${what} is not valid:`, ...diagnostics.map(formatDiagnostic)].join("\n"), {
      code: "invalid_argument",
    });
    this.diagnostics = diagnostics;
  }
}

/** `path: summary; detail`, on one line. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { path, summary, detail } = diagnostic;
  return `  ${path === "" ? "(top level)" : path}: ${summary}${detail === undefined ? "" : `; ${detail}`}`;
}
