/** Options of every call of the port. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}
