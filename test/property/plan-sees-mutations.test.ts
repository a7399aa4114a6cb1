import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalize, canonicalText, type Json, PodSpec } from "../../src/model/index.ts";
import { plan } from "../../src/plan/index.ts";
import { arbitraryOf } from "../support/arbitrary-of.ts";
import { applied, fleet, hostWith, input, observed, record } from "../support/plan-world.ts";

const specs = arbitraryOf(PodSpec) as fc.Arbitrary<PodSpec>;
const canonical = (spec: PodSpec): string => canonicalText(canonicalize(PodSpec, spec));

const changesOf = (before: PodSpec, after: PodSpec) => {
  const old = applied(before);
  const world = hostWith([observed("web", old)], [record("web", [old])]);
  return plan(input(fleet({ web: after }), world)).pods;
};

/** Every way of taking one thing away from a value: a field, a key of a map, an item of a list. */
function removals(value: Json): readonly Json[] {
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    return items.flatMap((item, index) => [
      items.toSpliced(index, 1),
      ...removals(item).map((changed) => items.with(index, changed)),
    ]);
  }
  if (value === null || typeof value !== "object") return [];
  const entries = Object.entries(value);
  return entries.flatMap(([key, item]) => [
    Object.fromEntries(entries.filter(([each]) => each !== key)),
    ...removals(item).map((changed) => ({ ...value, [key]: changed })),
  ]);
}

/** Every way of giving one thing in a value another value. */
function changes(value: Json): readonly Json[] {
  if (typeof value === "boolean") return [!value];
  if (typeof value === "number") return [value + 1, value - 1];
  if (typeof value === "string") return [`${value.slice(0, -1)}${value.endsWith("7") ? "8" : "7"}`];
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    return items.flatMap((item, index) =>
      changes(item).map((changed) => items.with(index, changed)),
    );
  }
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, item]) =>
    changes(item).map((changed) => ({ ...value, [key]: changed })),
  );
}

test("a plan is empty for what was applied, whatever it is", () => {
  fc.assert(
    fc.property(specs, (spec) => {
      expect(changesOf(spec, spec)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("a plan sees every field, map key and list item that is taken away", () => {
  fc.assert(
    fc.property(specs, (before) => {
      const same = canonical(before);
      for (const changed of removals(before as unknown as Json)) {
        const after = PodSpec.safeParse(changed);
        if (!after.success || canonical(after.data) === same) continue;
        expect(changesOf(before, after.data)).toHaveLength(1);
        expect(changesOf(after.data, before)[0]?.reasons.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 10 },
  );
});

test("a plan sees every single field that is changed, and nothing else", () => {
  fc.assert(
    fc.property(specs, (before) => {
      const same = canonical(before);
      for (const changed of changes(before as unknown as Json)) {
        const after = PodSpec.safeParse(changed);
        if (!after.success || canonical(after.data) === same) continue;
        const [change, ...others] = changesOf(before, after.data);
        expect(others).toEqual([]);
        expect(change?.reasons.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 10 },
  );
});

test("a plan sees every field that is given another value", () => {
  fc.assert(
    fc.property(specs, specs, (before, after) => {
      const differs = canonical(before) !== canonical(after);
      expect(changesOf(before, after)).toHaveLength(differs ? 1 : 0);
    }),
    { numRuns: 300 },
  );
});

test("a plan takes no change from another order of a set, a map or a keyed list", () => {
  const shuffled = (value: Json): Json => {
    if (Array.isArray(value)) return value;
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, item]) => [key, shuffled(item)]),
    );
  };
  const reversed = (spec: PodSpec): PodSpec => {
    const containers = Object.entries(spec.containers).map(([name, container]) => {
      const { security, mounts, devices, additionalGroups } = container;
      const lists = { mounts, devices, additionalGroups };
      const turned = Object.entries(lists).flatMap(([key, list]) =>
        list === undefined ? [] : [[key, [...list].reverse()]],
      );
      const capabilities = Object.entries(security ?? {}).map(([key, value]) => [
        key,
        Array.isArray(value) ? [...value].reverse() : value,
      ]);
      return [
        name,
        {
          ...container,
          ...Object.fromEntries(turned),
          ...(security === undefined ? {} : { security: Object.fromEntries(capabilities) }),
        },
      ];
    });
    const ports = spec.ports === undefined ? {} : { ports: [...spec.ports].reverse() };
    return PodSpec.parse(
      shuffled({
        ...spec,
        ...ports,
        containers: Object.fromEntries(containers),
      } as unknown as Json),
    );
  };
  fc.assert(
    fc.property(specs, (spec) => {
      expect(changesOf(spec, reversed(spec))).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
