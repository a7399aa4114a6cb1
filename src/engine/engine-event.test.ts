import { describe, expect, test } from "vitest";
import type { ContainerState, ObservedContainer, ObservedPod } from "../model/index.ts";
import { eventsBetween } from "./engine-event.ts";

const AT = "2026-01-01T00:00:00.000Z";
const IDENTITY = { owner: "o", fleet: "f", host: "h", pod: "web", generation: 1 };

function seen(
  state: ContainerState | undefined,
  more: Partial<ObservedContainer> = {},
): readonly ObservedPod[] {
  if (state === undefined) return [];
  const main = { id: "1", state, image: { reference: "app:1" }, reported: {}, ...more };
  return [{ ...IDENTITY, state: "running", containers: { main }, reported: {} }];
}

function kinds(before: readonly ObservedPod[], after: readonly ObservedPod[]): readonly string[] {
  return eventsBetween(before, after, AT).map(({ kind }) => kind);
}

describe("eventsBetween()", () => {
  test("tells what led from one state to another", () => {
    expect(kinds(seen(undefined), seen("prepared"))).toEqual(["made"]);
    expect(kinds(seen(undefined), seen("running"))).toEqual(["made", "started"]);
    expect(kinds(seen("prepared"), seen("running"))).toEqual(["started"]);
    expect(kinds(seen("running"), seen("paused"))).toEqual(["paused"]);
    expect(kinds(seen("paused"), seen("running"))).toEqual(["resumed"]);
    expect(kinds(seen("running"), seen(undefined))).toEqual(["removed"]);
    expect(kinds(seen("running"), seen("missing"))).toEqual(["removed"]);
    expect(kinds(seen("running"), seen("running"))).toEqual([]);
    expect(kinds(seen("running"), seen("unknown"))).toEqual([]);
  });

  test("tells whose it was, and how it ended", () => {
    expect(eventsBetween(seen("running"), seen("exited", { exitCode: 3 }), AT)).toEqual([
      { kind: "ended", at: AT, pod: IDENTITY, container: "main", exitCode: 3 },
    ]);
  });

  test("tells of a process that came and went between two looks", () => {
    expect(kinds(seen("running", { pid: 1 }), seen("running", { pid: 2 }))).toEqual([
      "ended",
      "started",
    ]);
    expect(kinds(seen("exited", { exitedAt: "a" }), seen("exited", { exitedAt: "b" }))).toEqual([
      "started",
      "ended",
    ]);
  });
});
