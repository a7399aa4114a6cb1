import { describe, expect, test } from "vitest";
import { DEFAULT_PATH, mergeEnvironment, processArguments } from "./process-arguments.ts";

const image = "localhost/x:1";

describe("processArguments()", () => {
  test.each([
    ["image alone", {}, { entrypoint: ["e"], cmd: ["c"] }, ["e", "c"], 1],
    [
      "command drops the image's command",
      { command: ["x"] },
      { entrypoint: ["e"], cmd: ["c"] },
      ["x"],
      1,
    ],
    [
      "args replace the image's command",
      { args: ["a"] },
      { entrypoint: ["e"], cmd: ["c"] },
      ["e", "a"],
      1,
    ],
    [
      "command and args",
      { command: ["x", "y"], args: ["a"] },
      { entrypoint: ["e"] },
      ["x", "y", "a"],
      2,
    ],
    [
      "empty args drop the image's command",
      { args: [] },
      { entrypoint: ["e"], cmd: ["c"] },
      ["e"],
      1,
    ],
    ["no entry point", {}, { cmd: ["c", "d"] }, ["c", "d"], 0],
  ])("%s", (_, spec, defaults, args, commandWords) => {
    expect(processArguments({ image, ...spec }, defaults)).toEqual({ args, commandWords });
  });

  test("nothing to run is an error that names the image", () => {
    expect(() => processArguments({ image }, {})).toThrow(
      'Cannot run image "localhost/x:1": it has no command of its own; declare a command',
    );
  });
});

describe("mergeEnvironment()", () => {
  test("the declared one wins over the image's, and PATH is always there", () => {
    expect(mergeEnvironment(["A=image", "B=image", "broken"], { A: "declared", C: "x=y" })).toEqual(
      [DEFAULT_PATH, "A=declared", "B=image", "C=x=y"],
    );
    expect(mergeEnvironment(["PATH=/bin"], {})).toEqual(["PATH=/bin"]);
  });
});
