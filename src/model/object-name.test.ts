import fc from "fast-check";
import { expect, test } from "vitest";
import { objectName } from "./index.ts";

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const identity = fc.record({
  owner: name,
  fleet: name,
  host: name,
  pod: name,
  generation: fc.integer({ min: 1, max: 1000 }),
});

test("objectName() fits what every engine takes: prefix, length, single dashes", () => {
  fc.assert(
    fc.property(identity, fc.option(name, { nil: undefined }), (of, container) => {
      const made = objectName(of, container, 76);
      expect(made.length).toBeLessThanOrEqual(76);
      expect(made).toMatch(/^stw-[a-z0-9]+(?:-[a-z0-9]+)*$/);
    }),
  );
});

test("objectName() differs whenever anything of the identity does", () => {
  const base = { owner: "o", fleet: "f", host: "h", pod: "p", generation: 1 };
  const names = [
    objectName(base),
    objectName(base, "c"),
    ...(["owner", "fleet", "host", "pod"] as const).map((key) =>
      objectName({ ...base, [key]: "x" }),
    ),
    objectName({ ...base, generation: 2 }),
    objectName({ ...base, pod: "p-c" }),
  ];
  expect(new Set(names).size).toBe(names.length);
});

test("objectName() begins with what people look for, even where room is short", () => {
  const of = { owner: "o", fleet: "f", host: "h", pod: "web", generation: 3 };
  expect(objectName(of, "app")).toMatch(/^stw-web-app-3-[a-z2-7]{26}$/);
  expect(objectName(of, "app", 30)).toMatch(/^stw-[a-z2-7]{26}$/);
});
