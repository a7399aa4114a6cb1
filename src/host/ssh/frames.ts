import { StowageError } from "../../errors/index.ts";

/** Length, letter and number before the data. */
const HEAD = 9;

/** More than the agent ever sends at once: a file and what is said of it. */
const DATA_MAX = 256 * 1024 * 1024;

/** What goes over the connection: a letter says what it is, the number whose it is. */
export interface Frame {
  readonly type: string;
  readonly id: number;
  readonly data: Buffer;
}

/** The bytes of a frame's head; the data follows. */
export function frameHead(type: string, id: number, length: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD);
  head.writeUInt32BE(length, 0);
  head.write(type, 4, "latin1");
  head.writeUInt32BE(id, 5);
  return head;
}

/** Takes bytes as they come and gives whole frames. */
export class FrameReader {
  #parts: Buffer[] = [];
  #length = 0;

  *read(bytes: Buffer): Generator<Frame, void, undefined> {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    while (this.#length >= HEAD) {
      const head = this.#whole(HEAD);
      const length = head.readUInt32BE(0);
      if (length > DATA_MAX) {
        throw new StowageError(
          "Cannot understand the host: it sent something other than an answer",
          {
            code: "internal",
          },
        );
      }
      if (this.#length < HEAD + length) return;
      const frame = this.#whole(HEAD + length);
      this.#parts = [
        this.#parts[0]?.subarray(HEAD + length) ?? Buffer.alloc(0),
        ...this.#parts.slice(1),
      ];
      this.#length -= HEAD + length;
      yield {
        type: frame.toString("latin1", 4, 5),
        id: frame.readUInt32BE(5),
        data: frame.subarray(HEAD, HEAD + length),
      };
    }
  }

  /** The first bytes in one piece; they are put together only where they are needed whole. */
  #whole(length: number): Buffer {
    const [first] = this.#parts;
    if (first !== undefined && first.length >= length) return first;
    const all = Buffer.concat(this.#parts);
    this.#parts = [all];
    return all;
  }
}

/** A list of strings, each after its length. */
export function packList(list: readonly (string | Uint8Array | number)[]): Buffer {
  const parts: Buffer[] = [];
  for (const item of list) {
    const bytes = typeof item === "object" ? Buffer.from(item) : Buffer.from(String(item));
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

/** The strings of {@link packList}. @throws StowageError `internal` where they are cut off */
export function unpackList(data: Buffer): readonly Buffer[] {
  const list: Buffer[] = [];
  let at = 0;
  while (at < data.length) {
    const end = at + 4 <= data.length ? at + 4 + data.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (end > data.length) {
      throw new StowageError("Cannot understand the host: its answer is cut off", {
        code: "internal",
      });
    }
    list.push(data.subarray(at + 4, end));
    at = end;
  }
  return list;
}
