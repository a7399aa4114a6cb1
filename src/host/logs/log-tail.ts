import { StringDecoder } from "node:string_decoder";
import type { HostReader } from "../host.ts";

/** Characters of a line that goes on for ever before it is passed on in parts. */
const MAX_LINE = 1024 * 1024;

const LOG_FILE = /^\d+\.log$/;

/** Reads the numbered files of one container's output, each byte once. */
export class LogTail {
  readonly #host: HostReader;
  readonly #directory: string;
  readonly #signal: AbortSignal | undefined;
  readonly #decoder = new StringDecoder("utf8");
  #file = "";
  #offset = 0;
  #line = "";

  constructor(host: HostReader, directory: string, signal: AbortSignal | undefined) {
    this.#host = host;
    this.#directory = directory;
    this.#signal = signal;
  }

  /**
   * Lines that came since the last call.
   *
   * @param final whether what follows the last line end is a line too
   */
  async *newLines({ final }: { readonly final: boolean }): AsyncGenerator<string, void, undefined> {
    const options = this.#signal === undefined ? {} : { signal: this.#signal };
    const { entries } = await this.#host.snapshot({ list: [this.#directory] }, options);
    const files = (entries.get(this.#directory) ?? []).filter((name) => LOG_FILE.test(name)).sort();
    for (const file of files) {
      if (file < this.#file) continue;
      if (file > this.#file) this.#offset = 0;
      this.#file = file;
      yield* this.#readToEnd(options);
    }
    if (!final) return;
    this.#line += this.#decoder.end();
    if (this.#line !== "") yield this.#line;
    this.#line = "";
  }

  async *#readToEnd(options: {
    readonly signal?: AbortSignal;
  }): AsyncGenerator<string, void, undefined> {
    for (;;) {
      const path = `${this.#directory}/${this.#file}`;
      // one that was removed to make room is read as far as it was
      const stretch = await this.#host.readFileFrom(path, this.#offset, options);
      if (stretch === undefined || stretch.bytes.byteLength === 0) return;
      this.#offset = stretch.nextOffset;
      const lines = (this.#line + this.#decoder.write(Buffer.from(stretch.bytes))).split("\n");
      this.#line = lines.pop() ?? "";
      yield* lines;
      if (this.#line.length > MAX_LINE) {
        yield this.#line;
        this.#line = "";
      }
    }
  }
}
