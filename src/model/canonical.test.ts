import { expect, test } from "vitest";
import { canonicalize, canonicalText, digestOf, PodSpec } from "./index.ts";

const text = (spec: unknown): string => canonicalText(canonicalize(PodSpec, PodSpec.parse(spec)));

test("canonicalize() leaves out what is empty and stores no default", () => {
  expect(text({ containers: { a: { image: "x", env: {}, mounts: [] } }, labels: {} })).toBe(
    '{"containers":{"a":{"image":"x"}}}',
  );
});

test("canonicalize() keeps an empty list that means something", () => {
  expect(text({ containers: { a: { image: "x", args: [] } } })).toContain('"args":[]');
});

test("canonicalize() is the same for any order of keys, sets and keyed lists", () => {
  const one = {
    containers: { a: { image: "x", env: { B: "2", A: "1" } } },
    ports: [{ host: 2 }, { host: 1 }],
    network: { mode: "host" },
  };
  const two = {
    network: { mode: "host" },
    ports: [{ host: 1 }, { host: 2 }],
    containers: { a: { env: { A: "1", B: "2" }, image: "x" } },
  };
  expect(text(one)).toBe(text(two));
});

test("canonicalize() keeps the order of lists that have one", () => {
  const args = (...list: string[]) => text({ containers: { a: { image: "x", args: list } } });
  expect(args("a", "b")).not.toBe(args("b", "a"));
});

test("canonicalText() keeps a key named __proto__", () => {
  expect(canonicalText(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
  expect(digestOf(JSON.parse('{"__proto__":1}'))).not.toBe(digestOf({}));
});
