import { expect, test } from "vitest";
import { parseChallenges } from "./auth-challenge.ts";

test.each([
  [
    'Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a/b:pull"',
    [
      {
        scheme: "bearer",
        parameters: {
          realm: "https://auth.test/token",
          service: "registry.test",
          scope: "repository:a/b:pull",
        },
      },
    ],
  ],
  ['BASIC realm="a \\"b\\", c"', [{ scheme: "basic", parameters: { realm: 'a "b", c' } }]],
  [
    "Basic realm=x, Bearer realm = y",
    [
      { scheme: "basic", parameters: { realm: "x" } },
      { scheme: "bearer", parameters: { realm: "y" } },
    ],
  ],
  ["Negotiate", [{ scheme: "negotiate", parameters: {} }]],
  ["", []],
  ['=x "', []],
])("parseChallenges() reads %j", (header, challenges) => {
  expect(parseChallenges(header)).toEqual(challenges);
});

test("parseChallenges() ends with any header", () => {
  for (const piece of ['a="', "Basic ", ",", 'x=y z="\\', " =", "Bearer realm="]) {
    expect(parseChallenges(piece.repeat(2000)).length).toBeLessThanOrEqual(4000);
  }
});
