import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  WriteAction,
  WriteContentRequestSchema,
} from "../../../gen/containerd/services/content/v1/content_pb.ts";
import type { Chunk } from "./chunk-stream.ts";

/** Bytes that a message needs at most before the bytes that it is about. */
export const WRITE_HEADROOM = 32;

const { number: DATA } = WriteContentRequestSchema.field.data;

/**
 * Encodes a write of a chunk at an offset of the blob, where the chunk lies: what else the message says goes into the room
 * before it. The encoder would copy the bytes, and what it leaves would be collected for a third of an upload's time.
 */
export function encodeWrite({ buffer, start, end }: Chunk, offset: number): Buffer {
  const rest = create(WriteContentRequestSchema, {
    action: WriteAction.WRITE,
    offset: BigInt(offset),
  });
  const head = new BinaryWriter()
    .raw(toBinary(WriteContentRequestSchema, rest))
    .tag(DATA, WireType.LengthDelimited)
    .uint32(end - start)
    .finish();
  buffer.set(head, start - head.byteLength);
  return buffer.subarray(start - head.byteLength, end);
}
