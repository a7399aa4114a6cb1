import { expect, test } from "vitest";
import type { RolloutMark } from "../model/index.ts";
import { parseRolloutMark } from "../model/index.ts";
import { type FoundMark, pauseOf, waitingChanges } from "./pauses.ts";
import type { HostChange, PodChange, RolloutPlan } from "./plan.ts";

const AT = "2026-01-02T03:04:05Z";

function mark(host: string, revision: number, paused: boolean): FoundMark {
  const made: RolloutMark = { version: 1, service: "web", revision, paused, by: host, at: AT };
  return { host, reading: parseRolloutMark(JSON.stringify(made), "web") };
}

test.each<[string, readonly FoundMark[], string | undefined]>([
  ["no mark", [], undefined],
  ["the newest pauses", [mark("a", 1, false), mark("b", 2, true)], "b"],
  ["an older one pauses nothing", [mark("a", 3, false), mark("b", 2, true)], undefined],
  ["of two of one age the one that pauses", [mark("a", 2, false), mark("b", 2, true)], "b"],
  [
    "one of another service is not understood, and pauses",
    [
      mark("a", 9, false),
      { host: "b", reading: parseRolloutMark(JSON.stringify({ ...raw(), service: "db" }), "web") },
    ],
    "b",
  ],
  [
    "so does one with a field that nobody knows",
    [{ host: "c", reading: parseRolloutMark(JSON.stringify({ ...raw(), until: AT }), "web") }],
    "c",
  ],
])("of the marks of a rollout counts: %s", (_, found, host) => {
  expect(pauseOf(found)?.host).toBe(host);
});

function raw(): RolloutMark {
  return { version: 1, service: "web", revision: 1, paused: false, by: "x@y", at: AT };
}

test("what comes after a pod that waits, waits as well, and so does an image that nobody else needs", () => {
  const pod = (id: string, after: readonly string[], afterWave?: readonly string[]) =>
    ({ id, after, ...(afterWave === undefined ? {} : { afterWave }) }) as unknown as PodChange;
  const host = (id: string, action: HostChange["action"], after: readonly string[] = []) =>
    ({ id, action, after }) as unknown as HostChange;
  const waiting = waitingChanges({
    pods: [
      pod("a/web", ["a/new"]),
      pod("a/api", ["a/web", "a/both"]),
      pod("b/web", ["a/web"], ["a/web"]),
      pod("b/db", ["a/both"]),
    ],
    hostChanges: [
      host("a/new", "import"),
      host("a/both", "import"),
      host("a/spare", "import"),
      host("a/roster", "roster", ["a/api"]),
      host("a/clean", "clean"),
    ],
    rollouts: [{ paused: { host: "a", waits: ["a/web", "z/web"] } } as unknown as RolloutPlan],
  });
  expect([...waiting].sort()).toEqual(["a/api", "a/new", "a/roster", "a/web"]);
});
