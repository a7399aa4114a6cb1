/** Characters of a line that goes on for ever before it is passed on in parts. */
const MAX_LINE = 1024 * 1024;

/** One record of a log: `2026-11-25T12:00:00.000000001+00:00 stdout F text`. */
const RECORD = /^\S+ (stdout|stderr) ([FP]) ?(.*)$/s;

/**
 * Puts records of podman's log together to lines. A line that is longer than its writer's buffer, or has
 * no end yet, is in several records, between which may be some of the other stream.
 */
export class K8sLines {
  readonly #open = new Map<string, string>();

  /** Takes in the text of one record. @returns the line that ended with it */
  add(record: string): string | undefined {
    const [, stream = "", kind = "", text = ""] = RECORD.exec(record) ?? [];
    // what somebody else wrote there, or what a crash left half
    if (stream === "") return undefined;
    const line = (this.#open.get(stream) ?? "") + text;
    if (kind === "P" && line.length <= MAX_LINE) {
      this.#open.set(stream, line);
      return undefined;
    }
    this.#open.delete(stream);
    return line;
  }

  /** Lines without an end, of processes that print no more. */
  rest(): readonly string[] {
    const lines = [...this.#open.values()];
    this.#open.clear();
    return lines;
  }
}
