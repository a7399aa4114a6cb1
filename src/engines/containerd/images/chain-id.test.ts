import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { chainIds } from "./chain-id.ts";

const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

test("chainIds() names the lowest layer by its own digest and each other by all below it", () => {
  const [a, b, c] = [sha256("a"), sha256("b"), sha256("c")] as const;
  const ab = sha256(`${a} ${b}`);
  expect(chainIds([a, b, c])).toEqual([a, ab, sha256(`${ab} ${c}`)]);
});

test("chainIds() of no layers is empty", () => {
  expect(chainIds([])).toEqual([]);
});
