import { describe, expect, test } from "vitest";
import { transcript } from "../../../test/support/rkt/transcript.ts";
import { cleanLine, NO_GROUP } from "./logs.ts";

describe("cleanLine()", () => {
  test("takes the journal's prefix and the carriage return off on the host flavour", () => {
    const { stdout } = transcript("run-two-images.txt");
    expect(stdout).toContain("one\r\n");
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => cleanLine("host", line));
    expect(lines).toEqual(["one", "two"]);
  });

  test("leaves what only looks like a prefix", () => {
    expect(cleanLine("host", "[ 2948.073522] a1[7]: [ 1.5] b[8]: deep\r")).toBe(
      "[ 1.5] b[8]: deep",
    );
    expect(cleanLine("host", "[info] started")).toBe("[info] started");
  });

  test("on fly everything is the app's but rkt's own warning", () => {
    expect(cleanLine("fly", NO_GROUP)).toBeUndefined();
    expect(cleanLine("fly", "run: my own words\r")).toBe("run: my own words\r");
    expect(transcript("fly-missing-exec.txt").stderr).toContain(
      NO_GROUP.slice("run-prepared".length),
    );
  });
});
