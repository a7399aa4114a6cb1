/**
 * Why an operation failed, in gRPC's words, because the first engine speaks them and Terraform's
 * diagnostics map from them. `canceled` is an engine's word only: an aborted signal rejects with
 * its own reason.
 */
export type ErrorCode =
  | "invalid_argument"
  | "not_found"
  | "already_exists"
  | "failed_precondition"
  | "permission_denied"
  | "unauthenticated"
  | "resource_exhausted"
  | "unavailable"
  | "deadline_exceeded"
  | "aborted"
  | "canceled"
  | "unimplemented"
  | "internal";

/** Where it happened: names that a reader can look up, never a secret. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a {@link StowageError} is made of beside its message. */
export interface StowageErrorOptions extends ErrorOptions {
  readonly code: ErrorCode;
  readonly context?: ErrorContext;
  /** @defaultValue true for `unavailable`, else false */
  readonly retryable?: boolean;
}

/**
 * The one error that crosses a folder's boundary.
 *
 * Its message reads `Cannot <verb> <noun> "<name>": <state>; <remedy>`: one sentence, no period, no
 * secrets.
 */
export class StowageError extends Error {
  override readonly name = "StowageError";
  readonly code: ErrorCode;
  readonly context: ErrorContext;
  /** Whether the same call may succeed later without a change of input. */
  readonly retryable: boolean;

  constructor(message: string, options: StowageErrorOptions) {
    super(message, options);
    this.code = options.code;
    this.context = options.context ?? {};
    this.retryable = options.retryable ?? options.code === "unavailable";
  }

  static is(value: unknown, code?: ErrorCode): value is StowageError {
    return value instanceof StowageError && (code === undefined || value.code === code);
  }

  /** Wraps what is not a StowageError yet; one that is comes back as it is. */
  static from(value: unknown, message: string, code: ErrorCode = "internal"): StowageError {
    if (value instanceof StowageError) return value;
    const detail = value instanceof Error ? value.message : String(value);
    return new StowageError(`${message}: ${detail}`, { code, cause: value });
  }
}
