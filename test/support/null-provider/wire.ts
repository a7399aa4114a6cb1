import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** A message as its field numbers and what stands in them. */
export type Fields = readonly (readonly [
  field: number,
  content: string | boolean | number | Uint8Array,
])[];

/** Writes a message of Terraform's plugin protocol. */
export function message(fields: Fields): Buffer {
  const writer = new BinaryWriter();
  for (const [field, content] of fields) {
    if (typeof content === "boolean") writer.tag(field, WireType.Varint).bool(content);
    else if (typeof content === "number") writer.tag(field, WireType.Varint).int64(content);
    else {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      writer.tag(field, WireType.LengthDelimited).bytes(bytes);
    }
  }
  return Buffer.from(writer.finish());
}

/** Bytes of the length-delimited fields of a message, by number; the last of each counts. */
export function readFields(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, Uint8Array>();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited) fields.set(field, reader.bytes());
    else reader.skip(type, field);
  }
  return fields;
}
