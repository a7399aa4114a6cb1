/** Characters of a line that never ends before it is passed on in parts. */
const MAX_LINE = 1024 * 1024;

/** One record of a log: `2026-11-25T12:00:00.000000001+00:00 stdout F text`. */
const RECORD = /^(\S+) (stdout|stderr) ([FP]) ?(.*)$/s;

/** What is known of a line before its end. */
interface OpenLine {
  readonly text: string;
  readonly isOld: boolean;
}

/**
 * Puts records of podman's log together to lines. A line that is longer than its writer's buffer, or has
 * no end yet, is in several records, between which may be some of the other stream.
 */
export class K8sLines {
  readonly #open = new Map<string, OpenLine>();
  readonly #sinceMs: number;

  /** @param sinceMs lines that begin earlier are left out; milliseconds since 1970 */
  constructor(sinceMs = Number.NEGATIVE_INFINITY) {
    this.#sinceMs = sinceMs;
  }

  /** Takes in the text of one record. @returns the line that ended with it */
  add(record: string): string | undefined {
    const [, at = "", stream = "", kind = "", text = ""] = RECORD.exec(record) ?? [];
    // what somebody else wrote there, or what a crash left half
    if (stream === "") return undefined;
    const begun = this.#open.get(stream) ?? { text: "", isOld: Date.parse(at) < this.#sinceMs };
    const line = { ...begun, text: begun.text + text };
    if (kind === "P" && line.text.length <= MAX_LINE) {
      this.#open.set(stream, line);
      return undefined;
    }
    this.#open.delete(stream);
    return line.isOld ? undefined : line.text;
  }

  /** Lines without an end, of processes that print no more. */
  rest(): readonly string[] {
    const lines = [...this.#open.values()].filter(({ isOld }) => !isOld).map(({ text }) => text);
    this.#open.clear();
    return lines;
  }
}
