import { expect, test } from "vitest";
import { parseRoster, ROSTER_VERSION, rosterEngine } from "./roster.ts";

const roster = {
  version: 1,
  owner: "o",
  fleet: "f",
  manager: "cli",
  hosts: { h: { address: "local", engine: "containerd" } },
  appliedAt: "2026-01-01T00:00:00Z",
  appliedBy: "a@b",
};

test("parseRoster() migrates one that names only the kind of an engine", () => {
  expect(parseRoster(JSON.stringify(roster))).toEqual({
    kind: "roster",
    roster: { ...roster, version: ROSTER_VERSION },
  });
});

test("parseRoster() refuses a version that never was", () => {
  expect(parseRoster(JSON.stringify({ ...roster, version: 0 }))).toMatchObject({
    kind: "unreadable",
  });
});

test("rosterEngine() is the engine itself, else one of its kind with all defaults", () => {
  const host = { address: "local", engine: "containerd" };
  expect(rosterEngine(host)).toEqual({ kind: "containerd" });
  const config = { kind: "containerd", namespace: "x" } as const;
  expect(rosterEngine({ ...host, config })).toEqual(config);
});
