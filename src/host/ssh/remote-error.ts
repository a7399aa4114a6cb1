/** An error of a call of the host's system: it has a code as one of this machine's has. */
export class RemoteError extends Error {
  readonly code: string;
  /** Where it happened, if not where the call was about. */
  readonly path: string | undefined;
  /** What was being done there. */
  readonly action: string | undefined;

  constructor(list: readonly Buffer[]) {
    const [code = "", message, path, action] = list.map((each) => each.toString("utf8"));
    super(message);
    this.code = code;
    this.path = path;
    this.action = action;
  }
}
