import {
  create,
  type DescField,
  type DescMessage,
  type DescService,
  fromBinary,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Containers } from "../../../gen/containerd/services/containers/v1/containers_pb.ts";
import { Content } from "../../../gen/containerd/services/content/v1/content_pb.ts";
import { Images } from "../../../gen/containerd/services/images/v1/images_pb.ts";
import { Introspection } from "../../../gen/containerd/services/introspection/v1/introspection_pb.ts";
import { Leases } from "../../../gen/containerd/services/leases/v1/leases_pb.ts";
import { Snapshots } from "../../../gen/containerd/services/snapshots/v1/snapshots_pb.ts";
import { Tasks } from "../../../gen/containerd/services/tasks/v1/tasks_pb.ts";
import { decodeMessage } from "./decode-message.ts";

const SERVICES: readonly DescService[] = [
  Containers,
  Content,
  Images,
  Introspection,
  Leases,
  Snapshots,
  Tasks,
];
const ANSWERS = SERVICES.flatMap(({ methods }) => methods.map(({ output }) => output));

describe("decodeMessage()", () => {
  test.each(ANSWERS.map((type) => [type.typeName, type] as const))(
    "reads %s as the library does",
    (_, type) => {
      fc.assert(
        fc.property(messages(type, 4), (init) => {
          const bytes = toBinary(type, create(type, init));
          expect(decodeMessage(type, bytes)).toEqual(fromBinary(type, bytes));
        }),
        { numRuns: 25 },
      );
    },
  );

  test("keeps a label that the library loses: __proto__ is a key like any other", () => {
    const type = Images.method.get.output;
    const labels = Object.fromEntries([["__proto__", "kept"]]);
    const bytes = toBinary(type, create(type, { image: { labels } }));
    const { image } = decodeMessage(type, bytes);
    expect(Object.entries(image?.labels ?? {})).toEqual([["__proto__", "kept"]]);
  });

  test("passes over fields that are not described", () => {
    const known = toBinary(
      Containers.method.get.input,
      create(Containers.method.get.input, { id: "x" }),
    );
    // field 15, a text
    const bytes = Uint8Array.from([...known, 0x7a, 0x02, 0x68, 0x69]);
    expect(decodeMessage(Containers.method.get.input, bytes)).toMatchObject({ id: "x" });
  });

  test("leaves types of other kinds to the library", () => {
    const bytes = toBinary(
      FileDescriptorProtoSchema,
      create(FileDescriptorProtoSchema, { name: "a.proto" }),
    );
    expect(decodeMessage(FileDescriptorProtoSchema, bytes)).toEqual(
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
  });

  test.each([
    ["that end in the middle", [0x0a, 0x7f, 0x61]],
    ["that are none", [0xff, 0xff, 0xff]],
  ])("refuses bytes %s", (_, bytes) => {
    expect(() => decodeMessage(Containers.method.get.output, Uint8Array.from(bytes))).toThrow();
  });
});

/** The library loses one key; see the test of it. */
const KEYS = fc.string().filter((key) => key !== "__proto__");

/** What `create` makes a message of. */
function messages(type: DescMessage, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = type.fields.filter(({ message }) => message === undefined || depth > 0);
  return fc.record(
    Object.fromEntries(fields.map((field) => [field.localName, values(field, depth)])),
    { requiredKeys: [] },
  );
}

function values(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const one =
    field.message !== undefined
      ? messages(field.message, depth - 1)
      : field.scalar === undefined
        ? fc.integer({ min: 0, max: 3 })
        : scalars(field.scalar);
  if (field.fieldKind === "list") return fc.array(one, { maxLength: 3 });
  return field.fieldKind === "map" ? fc.dictionary(KEYS, one, { maxKeys: 3 }) : one;
}

function scalars(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return fc.string({ unit: "grapheme" });
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 40 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case ScalarType.UINT64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case ScalarType.UINT32:
      return fc.nat();
    default:
      return fc.integer();
  }
}
