import { create, equals, fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  WriteAction,
  WriteContentRequestSchema,
} from "../../../gen/containerd/services/content/v1/content_pb.ts";
import { encodeWrite, WRITE_HEADROOM } from "./encode-write.ts";

test.each([0, 1, 524_288, Number.MAX_SAFE_INTEGER])(
  "a write at %d is read as what the API's own encoder says",
  (offset) => {
    for (const bytes of [1, 127, 128, 524_288]) {
      const buffer = Buffer.alloc(WRITE_HEADROOM + bytes + 7, 3);
      const chunk = { buffer, start: WRITE_HEADROOM, end: WRITE_HEADROOM + bytes };
      const read = fromBinary(WriteContentRequestSchema, encodeWrite(chunk, offset));
      const said = create(WriteContentRequestSchema, {
        action: WriteAction.WRITE,
        offset: BigInt(offset),
        data: new Uint8Array(bytes).fill(3),
      });
      expect(equals(WriteContentRequestSchema, read, said)).toBe(true);
    }
  },
);
