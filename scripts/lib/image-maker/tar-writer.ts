const BLOCK_BYTES = 512;

/** What kind of thing an entry is; its letters are tar's type flags. */
export type TarKind = "file" | "directory" | "symlink";

const TYPE_FLAGS: Readonly<Record<TarKind, string>> = { file: "0", directory: "5", symlink: "2" };

/** One entry of a tar, without its contents. */
export interface TarMeta {
  /** Without a leading slash. */
  readonly name: string;
  readonly kind: TarKind;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Where a symlink leads. */
  readonly linkName?: string;
}

/** The two zero blocks that end a tar. */
export const TAR_END: Uint8Array = Buffer.alloc(2 * BLOCK_BYTES);

/** The header blocks of an entry: ustar, with a pax header before it where a name is long; times are zero. */
export function tarHeader(meta: TarMeta): Buffer {
  const linkName = meta.linkName ?? "";
  const records = [
    ...(fits(meta.name) ? [] : [paxRecord("path", meta.name)]),
    ...(fits(linkName) ? [] : [paxRecord("linkpath", linkName)]),
  ];
  if (records.length === 0) return ustar(meta, TYPE_FLAGS[meta.kind]);
  const body = Buffer.concat(records);
  const pax: TarMeta = { name: "pax", kind: "file", mode: 0o644, sizeBytes: body.length };
  return Buffer.concat([
    ustar(pax, "x"),
    body,
    tarPadding(body.length),
    ustar(meta, TYPE_FLAGS[meta.kind]),
  ]);
}

/** The zeros that fill the last block of a content. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

function fits(name: string): boolean {
  return Buffer.byteLength(name) <= 100;
}

function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  const length = Buffer.byteLength(rest);
  // the length counts its own digits
  const total = [1, 2, 3, 4, 5]
    .map((digits) => length + digits)
    .find((sum, at) => `${sum}`.length === at + 1);
  return Buffer.from(`${total}${rest}`);
}

function ustar(meta: TarMeta, typeFlag: string): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  Buffer.from(meta.name).copy(block, 0, 0, 100);
  octal(meta.mode, 100, 8);
  octal(meta.uid ?? 0, 108, 8);
  octal(meta.gid ?? 0, 116, 8);
  octal(meta.sizeBytes, 124, 12);
  octal(0, 136, 12);
  block.write(`        ${typeFlag}`, 148, "latin1");
  Buffer.from(meta.linkName ?? "").copy(block, 157, 0, 100);
  block.write("ustar\x0000", 257, "latin1");
  octal(0, 329, 8);
  octal(0, 337, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
