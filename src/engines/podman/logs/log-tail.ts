import { dirname } from "node:path";
import type { HostReader } from "../../../host/index.ts";
import { callOptions } from "../context.ts";
import { K8sLines } from "./k8s-lines.ts";

const NEWLINE = 0x0a;

/** Reads the log of one container, each byte once, from the file that is there now. */
export class LogTail {
  readonly #host: HostReader;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  readonly #lines: K8sLines;
  #offset = 0;
  /** The end of what was read: where a new file has been begun the bytes there are others. */
  #seen: Buffer = Buffer.alloc(0);
  /** What follows the last line end. */
  #half: Buffer = Buffer.alloc(0);
  #isGone = false;

  /** @param sinceMs lines that begin earlier are left out; milliseconds since 1970 */
  constructor(
    host: HostReader,
    path: string,
    signal: AbortSignal | undefined,
    sinceMs: number | undefined,
  ) {
    this.#host = host;
    this.#path = path;
    this.#signal = signal;
    this.#lines = new K8sLines(sinceMs);
  }

  /** Whether podman took the container's directory away. */
  isGone(): boolean {
    return this.#isGone;
  }

  /**
   * Lines that came since the last call.
   *
   * @param final whether what has no line end yet is a line too
   */
  async *newLines({ final }: { readonly final: boolean }): AsyncGenerator<string, void, undefined> {
    for (;;) {
      const bytes = await this.#readOn();
      if (bytes === undefined) break;
      yield* this.#take(bytes);
    }
    if (final) yield* this.#lines.rest();
  }

  /** @returns undefined at the end */
  async #readOn(): Promise<Buffer | undefined> {
    const from = this.#offset - this.#seen.length;
    const stretch = await this.#host.readFileFrom(this.#path, from, callOptions(this.#signal));
    // the file alone is away for a moment where it is started again, or never came where nothing was printed
    if (stretch === undefined) {
      const directory = await this.#host.inspect(dirname(this.#path), callOptions(this.#signal));
      this.#isGone = directory === undefined;
    }
    const bytes = Buffer.from(stretch?.bytes ?? []);
    if (stretch !== undefined && !bytes.subarray(0, this.#seen.length).equals(this.#seen)) {
      // it had grown to its limit and was started again
      this.#offset = 0;
      this.#seen = Buffer.alloc(0);
      this.#half = Buffer.alloc(0);
      return await this.#readOn();
    }
    const fresh = bytes.subarray(this.#seen.length);
    if (stretch === undefined || fresh.length === 0) return undefined;
    this.#offset = stretch.nextOffset;
    this.#seen = bytes.subarray(-OVERLAP);
    return fresh;
  }

  *#take(bytes: Buffer): Generator<string, void, undefined> {
    let text = Buffer.concat([this.#half, bytes]);
    for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE)) {
      const line = this.#lines.add(text.toString("utf8", 0, end));
      text = text.subarray(end + 1);
      if (line !== undefined) yield line;
    }
    this.#half = Buffer.from(text);
  }
}

/** Bytes that are read once more to see whether they are the same: a time stamp and more. */
const OVERLAP = 64;
