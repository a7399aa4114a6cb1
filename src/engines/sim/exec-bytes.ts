import type { ByteSink, ExecStreams } from "../../engine/index.ts";

/** Bytes outside ASCII are these private characters in the toy shell's texts. */
const PRIVATE = 0xf700;

/** All that is to be read, as a text of the toy shell. */
export async function inputText(stdin: ExecStreams["stdin"]): Promise<string> {
  const parts: string[] = [];
  for await (const bytes of stdin ?? []) {
    const codes = Uint16Array.from(bytes, (byte) => (byte < 0x80 ? byte : PRIVATE + byte));
    parts.push(Buffer.from(codes.buffer).toString("utf16le"));
  }
  return parts.join("");
}

/** Takes what a command prints while a machine is worked on, and gives it on afterwards. */
export class ExecOutput {
  readonly #streams: ExecStreams;
  readonly #parts: (readonly [ByteSink, string])[] = [];

  constructor(streams: ExecStreams) {
    this.#streams = streams;
  }

  readonly write = (stream: "out" | "err", text: string): void => {
    const { stdout, stderr, terminal } = this.#streams;
    // a terminal ends its lines in its own way, and has one stream
    if (terminal !== undefined) this.#parts.push([stdout, text.replaceAll("\n", "\r\n")]);
    else this.#parts.push([stream === "out" ? stdout : stderr, text]);
  };

  async flush(): Promise<void> {
    for (const [sink, text] of this.#parts.splice(0)) await sink(bytesOf(text));
  }
}

function bytesOf(text: string): Uint8Array {
  if (!/[\uf780-\uf7ff]/.test(text)) return Buffer.from(text);
  // stretches of bytes that were read, and of text between them
  const parts = text.match(/[\0-\x7f\uf780-\uf7ff]+|[^\0-\x7f\uf780-\uf7ff]+/g) ?? [];
  return Buffer.concat(parts.map(partBytes));
}

function partBytes(part: string): Uint8Array {
  const first = part.charCodeAt(0);
  if (first >= 0x80 && (first < PRIVATE + 0x80 || first > PRIVATE + 0xff)) return Buffer.from(part);
  const wide = Buffer.from(part, "utf16le");
  return Uint8Array.from({ length: part.length }, (_, at) => wide[at * 2] ?? 0);
}
