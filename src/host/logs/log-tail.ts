import { StringDecoder } from "node:string_decoder";
import type { HostCallOptions, HostReader } from "../host.ts";
import { type LogPosition, positionSince } from "./log-times.ts";

/** Characters of a line that never ends before it is passed on in parts. */
const MAX_LINE = 1024 * 1024;

const LOG_FILE = /^\d+\.log$/;
const NEWLINE = 0x0a;

/** Where to read from, and until when. */
export interface LogTailOptions extends HostCallOptions {
  /** Lines that begin earlier are left out; milliseconds since 1970. */
  readonly sinceMs?: number;
}

/** Reads the numbered files of one container's output, each byte once. */
export class LogTail {
  readonly #host: HostReader;
  readonly #directory: string;
  readonly #options: HostCallOptions;
  readonly #decoder = new StringDecoder("utf8");
  #file = "";
  #offset = 0;
  #line = "";
  /** Whether the directory was there when it was read last; undefined while it never was. */
  #isThere: boolean | undefined;
  /** Set while nothing was found that is as new. */
  #sinceMs: number | undefined;
  /** Whether what comes next is the rest of a line that began too early. */
  #inOldLine = false;

  constructor(host: HostReader, directory: string, options: LogTailOptions) {
    this.#host = host;
    this.#directory = directory;
    const { sinceMs, signal } = options;
    this.#sinceMs = sinceMs;
    this.#options = signal === undefined ? {} : { signal };
  }

  /** Whether its directory was removed. */
  isGone(): boolean {
    return this.#isThere === false;
  }

  /**
   * Lines that came since the last call.
   *
   * @param final whether what follows the last line end is a line too
   */
  async *newLines({ final }: { readonly final: boolean }): AsyncGenerator<string, void, undefined> {
    const { entries } = await this.#host.snapshot({ list: [this.#directory] }, this.#options);
    if (this.#isThere !== undefined || entries.has(this.#directory)) {
      this.#isThere = entries.has(this.#directory);
    }
    const files = (entries.get(this.#directory) ?? []).filter((name) => LOG_FILE.test(name)).sort();
    if (this.#sinceMs !== undefined && !(await this.#seek(files, this.#sinceMs))) return;
    for (const file of files) {
      if (file < this.#file) continue;
      if (file > this.#file) this.#offset = 0;
      this.#file = file;
      yield* this.#readToEnd();
    }
    if (!final) return;
    this.#line += this.#decoder.end();
    if (this.#line !== "") yield this.#line;
    this.#line = "";
  }

  /** Goes to where new lines begin. @returns whether there is any */
  async #seek(files: readonly string[], sinceMs: number): Promise<boolean> {
    const found = await positionSince(this.#host, this.#directory, files, sinceMs, this.#options);
    if (found === undefined) return false;
    const before = await this.#byteBefore(files, found);
    this.#inOldLine = before !== undefined;
    ({ file: this.#file, offset: this.#offset } = before ?? found);
    this.#sinceMs = undefined;
    return true;
  }

  /** The byte that says whether a position is the beginning of a line; undefined where nothing is before it. */
  async #byteBefore(
    files: readonly string[],
    { file, offset }: LogPosition,
  ): Promise<LogPosition | undefined> {
    if (offset > 0) return { file, offset: offset - 1 };
    const former = files[files.indexOf(file) - 1];
    if (former === undefined) return undefined;
    const { size = 0 } =
      (await this.#host.inspect(`${this.#directory}/${former}`, this.#options)) ?? {};
    return size === 0 ? undefined : { file: former, offset: size - 1 };
  }

  async *#readToEnd(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      const path = `${this.#directory}/${this.#file}`;
      // one that was removed to make room is read as far as it was
      const stretch = await this.#host.readFileFrom(path, this.#offset, this.#options);
      if (stretch === undefined || stretch.bytes.byteLength === 0) return;
      this.#offset = stretch.nextOffset;
      const bytes = this.#withoutOldLine(Buffer.from(stretch.bytes));
      const lines = (this.#line + this.#decoder.write(bytes)).split("\n");
      this.#line = lines.pop() ?? "";
      yield* lines;
      if (this.#line.length > MAX_LINE) {
        yield this.#line;
        this.#line = "";
      }
    }
  }

  #withoutOldLine(bytes: Buffer): Buffer {
    if (!this.#inOldLine) return bytes;
    const end = bytes.indexOf(NEWLINE);
    this.#inOldLine = end < 0;
    return end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 1);
  }
}
