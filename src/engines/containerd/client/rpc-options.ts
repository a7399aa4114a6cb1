/** How one call is made. */
export interface RpcOptions {
  /** What is being done, as the words after "Cannot" in an error: `prepare snapshot "x"`. */
  readonly doing: string;
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds that the daemon has; `Infinity` waits for ever.
   *
   * @defaultValue by method, see {@link defaultDeadlineMs}
   */
  readonly deadlineMs?: number;
}
