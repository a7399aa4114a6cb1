import { describe, expect, test } from "vitest";
import { wrongKeys } from "../project/wrong-keys.ts";
import { columns, wrap } from "./layout.ts";
import { formatAge, formatBytes, formatDuration } from "./quantities.ts";
import { suggest } from "./suggest.ts";

describe("words for people", () => {
  test.each([
    [0, "0 B"],
    [1024, "1 KiB"],
    [268_435_456, "256 MiB"],
    [1_610_612_736, "1.5 GiB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test.each([
    [2.345, "2.3 ms"],
    [110.7, "111 ms"],
    [1500, "1.5 s"],
    [120_000, "2 min"],
  ])("%d ms are %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test.each([
    [-5, "0 s"],
    [90_000, "90 s"],
    [240_000, "4 min"],
    [3 * 86_400_000, "3 d"],
  ])("%d ms ago is %s", (ms, text) => {
    expect(formatAge(ms)).toBe(text);
  });

  test("a near word is suggested and a far one is not", () => {
    const known = ["plan", "apply", "destroy"];
    expect(suggest("aplpy", known)).toBe("apply");
    expect(suggest("dest", known)).toBe("destroy");
    expect(suggest("wombat", known)).toBeUndefined();
  });

  test("columns count what is seen, not colours, and leave no space at the end", () => {
    expect(
      columns([
        ["\u001b[31ma\u001b[39m", "b"],
        ["ccc", ""],
      ]),
    ).toEqual(["\u001b[31ma\u001b[39m    b", "ccc"]);
  });

  test("text is broken between words and keeps its indentation", () => {
    expect(wrap("  one two three", 9, "    ")).toBe("  one two\n    three");
    expect(wrap("one two", undefined, "")).toBe("one two");
  });
});

describe("names that are wrong in JSON", () => {
  test("each that stands twice is found with its path, on any level", () => {
    const text = '{"a":{"b":1,"c":[{"d":1},{"d":1,"d":2}],"b":2},"a":"{\\"x\\":1,\\"x\\":2}"}';
    expect(wrongKeys(text, JSON.parse(text)).map(({ path }) => path)).toEqual([
      "a.c[1].d",
      "a.b",
      "a",
    ]);
  });

  test("so is one that no object can have", () => {
    const text = '{"a":{"__proto__":{"x":1}},"b":"__proto__","c":"\\"__proto__\\":1"}';
    expect(wrongKeys(text, JSON.parse(text)).map(({ path }) => path)).toEqual(["a.__proto__"]);
  });

  test("equal names of different objects, and equal values, are none", () => {
    const text = '{"a": {"x":"a"},"b":{"x":"a"},"c":["x","x"]}';
    expect(wrongKeys(text, JSON.parse(text))).toEqual([]);
  });
});
