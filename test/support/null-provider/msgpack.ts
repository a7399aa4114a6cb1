/** A value that Terraform does not know yet. */
export const UNKNOWN = Symbol("unknown");

/** What the schema of null_resource needs: texts, maps of them, null, and what is not known. */
export type Value = null | string | typeof UNKNOWN | { readonly [key: string]: Value };

/** Reads a value in MessagePack; an extension of any kind is what Terraform does not know. */
export function decodeValue(bytes: Uint8Array): Value {
  return new Decoder(Buffer.from(bytes)).value();
}

/** Kinds of value that carry their own size: how many bytes it takes, and what it counts. */
const SIZED: ReadonlyMap<number, readonly [sizeBytes: number, kind: "text" | "map" | "unknown"]> =
  new Map([
    [0xc7, [1, "unknown"]],
    [0xd9, [1, "text"]],
    [0xda, [2, "text"]],
    [0xdb, [4, "text"]],
    [0xde, [2, "map"]],
  ]);

class Decoder {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  value(): Value {
    const tag = this.#number(1);
    const sized = SIZED.get(tag);
    if (sized !== undefined) return this[sized[1]](this.#number(sized[0]));
    if (tag === 0xc0) return null;
    if (tag >> 4 === 0x8) return this.map(tag & 0x0f);
    if (tag >> 5 === 0b101) return this.text(tag & 0x1f);
    if (tag >= 0xd4 && tag <= 0xd8) return this.unknown(2 ** (tag - 0xd4));
    throw new Error(`Cannot read a value: tag 0x${tag.toString(16)} is not expected here`);
  }

  text(length: number): string {
    this.#at += length;
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }

  map(size: number): Value {
    return Object.fromEntries(
      Array.from({ length: size }, () => [String(this.value()), this.value()]),
    );
  }

  unknown(length: number): Value {
    // one byte more: the extension's type
    this.#at += length + 1;
    return UNKNOWN;
  }

  #number(length: number): number {
    this.#at += length;
    return this.#bytes.readUIntBE(this.#at - length, length);
  }
}

/** Writes a value in MessagePack. */
export function encodeValue(value: Value): Buffer {
  if (value === null) return Buffer.from([0xc0]);
  if (value === UNKNOWN) return Buffer.from([0xd4, 0, 0]);
  if (typeof value === "string") {
    const text = Buffer.from(value);
    const head = Buffer.alloc(5, 0xdb);
    head.writeUInt32BE(text.length, 1);
    return Buffer.concat([head, text]);
  }
  const entries = Object.entries(value);
  const head = Buffer.alloc(3, 0xde);
  head.writeUInt16BE(entries.length, 1);
  return Buffer.concat([
    head,
    ...entries.flatMap(([key, item]) => [encodeValue(key), encodeValue(item)]),
  ]);
}
