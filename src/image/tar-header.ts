const BLOCK_BYTES = 512;

/** One header block of a tar, as far as an index of its files needs it. */
export interface TarHeader {
  readonly name: string;
  /** The type flag: `0` file, `1` hard link, `5` folder, `x` pax, `L` and `K` GNU long names … */
  readonly type: string;
  readonly sizeBytes: number;
  readonly linkName: string;
}

/** Reads one block: `end` is the zero block that ends an archive. */
export function parseTarHeader(block: Buffer): TarHeader | "end" | "invalid" {
  if (block.every((byte) => byte === 0)) return "end";
  if (parseNumber(block.subarray(148, 156)) !== checksum(block)) return "invalid";
  const sizeBytes = parseNumber(block.subarray(124, 136));
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) return "invalid";
  const prefix = block.toString("latin1", 257, 263) === "ustar\0" ? text(block, 345, 500) : "";
  const name = text(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    type: block[156] === 0 ? "0" : block.toString("latin1", 156, 157),
    sizeBytes,
    linkName: text(block, 157, 257),
  };
}

/** The records `<length> <key>=<value>\n` of a pax header; nothing when they are malformed. */
export function parsePaxRecords(body: Buffer): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const digits = space < 0 ? "" : body.toString("latin1", at, space);
    const end = at + Number(digits);
    if (!/^[1-9][0-9]{0,9}$/.test(digits) || end > body.length || body[end - 1] !== 0x0a) {
      return undefined;
    }
    const record = body.toString("utf8", space + 1, end - 1);
    const equals = record.indexOf("=");
    if (equals < 1) return undefined;
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

/** Size rounded up to whole blocks. */
export function paddedBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
}

function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const [at, byte] of block.entries()) if (at < 148 || at >= 156) sum += byte;
  return sum;
}

function parseNumber(field: Buffer): number {
  // GNU's base-256 for what does not fit in octal
  if (((field[0] ?? 0) & 0x80) !== 0) {
    return field.subarray(1).reduce((value, byte) => value * 256 + byte, (field[0] ?? 0) & 0x7f);
  }
  const digits = /^[ ]*([0-7]*)[ \0]*$/.exec(field.toString("latin1"))?.[1];
  return digits === undefined ? Number.NaN : Number.parseInt(digits === "" ? "0" : digits, 8);
}

function text(block: Buffer, start: number, end: number): string {
  const nul = block.indexOf(0, start);
  return block.toString("utf8", start, nul < 0 || nul > end ? end : nul);
}
