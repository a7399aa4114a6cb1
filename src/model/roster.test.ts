import { expect, test } from "vitest";
import { type KnownRosterHosts, parseRoster, ROSTER_VERSION, rosterEngine } from "./roster.ts";

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

test("parseRoster() holds a list of hosts that it knows once, and checks the rest all the same", () => {
  const known: KnownRosterHosts = new Map();
  const now = { ...roster, version: ROSTER_VERSION };
  const first = parseRoster(JSON.stringify(now), known);
  const second = parseRoster(JSON.stringify({ ...now, appliedBy: "somebody@else" }), known);
  expect(second).toMatchObject({ kind: "roster", roster: { appliedBy: "somebody@else" } });
  if (first.kind !== "roster" || second.kind !== "roster") throw new Error("They are rosters");
  expect(second.roster.hosts).toBe(first.roster.hosts);
  const wrong = parseRoster(JSON.stringify({ ...now, manager: "nobody" }), known);
  expect(wrong).toMatchObject({ kind: "unreadable" });
});
