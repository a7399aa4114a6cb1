import { describe, expect, test } from "vitest";
import { transcript } from "../../../../test/support/rkt/transcript.ts";
import { NO_GROUP } from "../logs.ts";
import { failureOf } from "./launch-failure.ts";

const ended = (status: number, words = ""): string => `${status} 2026-11-25T22:00:00Z ${words}\n`;

describe("failureOf()", () => {
  test("fly's own words tell a command that is not there", () => {
    const { exitCode, stderr } = transcript("fly-missing-exec.txt");
    expect(failureOf(ended(exitCode), stderr)).toBe(
      'run: can\'t execute "/bin/nosuch": no such file or directory',
    );
  });

  test("the host flavour's status 203 does", () => {
    const { exitCode, stdout } = transcript("exec-missing.txt");
    expect(failureOf(ended(exitCode), stdout)).toMatch(/Unable to open "\/bin\/nosuch"/);
  });

  test("a host with too many pods of the host flavour is told", () => {
    const { stdout } = transcript("run-inotify-exhausted.txt");
    expect(failureOf(ended(255), stdout)).toMatch(/Failed to allocate manager object/);
  });

  test("what the supervisor says of itself comes first", () => {
    expect(failureOf(ended(125, "cannot set limit pids.max"), "")).toBe(
      "cannot set limit pids.max",
    );
  });

  test("an app that ends with the same status did begin", () => {
    expect(failureOf(ended(254), "run: something\nmy last words\n")).toBeUndefined();
    expect(failureOf(ended(254), `${NO_GROUP}\n`)).toBeUndefined();
    expect(failureOf(ended(1), "httpd: bind: Address already in use\n")).toBeUndefined();
    expect(failureOf(ended(0), "run: x\n")).toBeUndefined();
  });
});
