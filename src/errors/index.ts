export { type Diagnostic, DiagnosticsError, formatDiagnostic } from "./diagnostic.ts";
export {
  type ErrorCode,
  type ErrorContext,
  StowageError,
  type StowageErrorOptions,
} from "./stowage-error.ts";
