import {
  type DescField,
  type DescMessage,
  fromBinary,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

type Target = Record<string, unknown>;
/** Reads a field's value, of the wire type that it was found with, into a message. */
type ReadField = (reader: BinaryReader, target: Target, wire: WireType) => void;
type ReadValue = (reader: BinaryReader) => unknown;

/** Bytes of a message; texts are taken out of the buffer without a view of each. */
class MessageBytes extends BinaryReader {
  readonly #bytes: Buffer;

  constructor(bytes: Uint8Array) {
    super(bytes);
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  override string(): string {
    const length = this.uint32();
    const start = this.pos;
    this.pos += length;
    this.assertBounds();
    return this.#bytes.toString("utf8", start, this.pos);
  }
}

/** How a message is read: what it holds before anything was found, and a reader a field number. */
interface MessageReader {
  empty(): Target;
  readonly fields: ReadonlyMap<number, ReadField>;
}

const readers = new WeakMap<DescMessage, MessageReader>();

/**
 * Reads a message by its descriptor, as `fromBinary` does, to the same object.
 *
 * What a field's reader is made of is looked up once a type: `fromBinary` looks it up once a value,
 * which is a third of the time of observing a full daemon. Fields that are not described are passed
 * over.
 *
 * @throws Error when the bytes are no such message
 */
export function decodeMessage<D extends DescMessage>(type: D, bytes: Uint8Array): MessageShape<D> {
  const message = readers.get(type) ?? (isPlain(type, new Set()) ? readerOf(type) : undefined);
  if (message === undefined) return fromBinary(type, bytes);
  const reader = new MessageBytes(bytes);
  return readMessage(message, reader, reader.len) as MessageShape<D>;
}

/** Whether nothing in a type asks for more than is done here: no oneof, no scalar that knows whether it was set. */
function isPlain(type: DescMessage, seen: Set<DescMessage>): boolean {
  if (seen.has(type)) return true;
  seen.add(type);
  return (
    type.file.edition === PROTO3 &&
    type.fields.every(
      ({ oneof, proto, message }) =>
        oneof === undefined &&
        !proto.proto3Optional &&
        (message === undefined || isPlain(message, seen)),
    )
  );
}

/** `EDITION_PROTO3` of descriptor.proto. */
const PROTO3 = 999;

function readMessage(message: MessageReader, reader: BinaryReader, end: number): Target {
  const target = message.empty();
  while (reader.pos < end) {
    const tag = reader.uint32();
    const read = message.fields.get(tag >>> 3);
    if (read === undefined) reader.skip(tag & 7, tag >>> 3);
    else read(reader, target, tag & 7);
  }
  return target;
}

function readerOf(type: DescMessage): MessageReader {
  const known = readers.get(type);
  if (known !== undefined) return known;
  const fields = new Map<number, ReadField>();
  const made: MessageReader = { empty: emptyOf(type), fields };
  // before its fields: a message may hold one of its own type
  readers.set(type, made);
  for (const field of type.fields) fields.set(field.number, fieldReader(field));
  return made;
}

function emptyOf(type: DescMessage): () => Target {
  const scalars: Target = { $typeName: type.typeName };
  for (const field of type.fields) {
    if (field.fieldKind === "scalar") scalars[field.localName] = emptyScalar(field.scalar);
    else if (field.fieldKind === "enum") scalars[field.localName] = 0;
  }
  const lists = type.fields.filter((field) => field.fieldKind === "list");
  const maps = type.fields.filter((field) => field.fieldKind === "map");
  return () => {
    const target = { ...scalars };
    for (const { localName } of lists) target[localName] = [];
    for (const { localName } of maps) target[localName] = {};
    return target;
  };
}

function fieldReader(field: DescField): ReadField {
  const { localName } = field;
  if (field.fieldKind === "map") return mapReader(field);
  if (field.fieldKind !== "list") {
    const value = valueReader(field);
    return (reader, target) => {
      target[localName] = value(reader);
    };
  }
  const value = valueReader(field);
  return (reader, target, wire) => {
    const list = target[localName] as unknown[];
    if (!isPacked(field, wire)) {
      list.push(value(reader));
      return;
    }
    const end = reader.uint32() + reader.pos;
    while (reader.pos < end) list.push(value(reader));
  };
}

/** Numbers of a list may come together, in one value with a length. */
function isPacked(field: DescField & { fieldKind: "list" }, wire: WireType): boolean {
  if (wire !== WireType.LengthDelimited || field.listKind === "message") return false;
  return field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES;
}

function mapReader(field: DescField & { fieldKind: "map" }): ReadField {
  const readKey = scalarReader(field.mapKey);
  const readValue = valueReader(field);
  const empty =
    field.mapKind === "scalar"
      ? emptyScalar(field.scalar)
      : field.mapKind === "enum"
        ? 0
        : undefined;
  return (reader, target) => {
    const end = reader.uint32() + reader.pos;
    let key: unknown = emptyScalar(field.mapKey);
    let value = empty;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag >>> 3 === 1) key = readKey(reader);
      else if (tag >>> 3 === 2) value = readValue(reader);
      else reader.skip(tag & 7, tag >>> 3);
    }
    setEntry(target[field.localName] as Target, String(key), value);
  };
}

/** A key of "__proto__" is data like any other: that one is defined, which is slow. */
function setEntry(map: Target, key: string, value: unknown): void {
  if (key !== "__proto__") map[key] = value;
  else
    Object.defineProperty(map, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
}

function valueReader(field: DescField): ReadValue {
  if (field.message !== undefined) {
    const message = readerOf(field.message);
    return (reader) => {
      const end = reader.uint32() + reader.pos;
      return readMessage(message, reader, end);
    };
  }
  return field.scalar === undefined ? (reader) => reader.int32() : scalarReader(field.scalar);
}

function scalarReader(type: ScalarType): ReadValue {
  switch (type) {
    case ScalarType.STRING:
      return (reader) => reader.string();
    case ScalarType.BYTES:
      return (reader) => reader.bytes();
    case ScalarType.BOOL:
      return (reader) => reader.bool();
    case ScalarType.INT32:
      return (reader) => reader.int32();
    case ScalarType.UINT32:
      return (reader) => reader.uint32();
    case ScalarType.SINT32:
      return (reader) => reader.sint32();
    case ScalarType.INT64:
      return (reader) => reader.int64();
    case ScalarType.UINT64:
      return (reader) => reader.uint64();
    case ScalarType.SINT64:
      return (reader) => reader.sint64();
    case ScalarType.FIXED32:
      return (reader) => reader.fixed32();
    case ScalarType.SFIXED32:
      return (reader) => reader.sfixed32();
    case ScalarType.FIXED64:
      return (reader) => reader.fixed64();
    case ScalarType.SFIXED64:
      return (reader) => reader.sfixed64();
    case ScalarType.FLOAT:
      return (reader) => reader.float();
    case ScalarType.DOUBLE:
      return (reader) => reader.double();
    default:
      return type satisfies never;
  }
}

function emptyScalar(type: ScalarType): unknown {
  switch (type) {
    case ScalarType.STRING:
      return "";
    case ScalarType.BYTES:
      return new Uint8Array();
    case ScalarType.BOOL:
      return false;
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return 0n;
    default:
      return 0;
  }
}
