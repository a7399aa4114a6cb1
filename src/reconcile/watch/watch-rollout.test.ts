import { expect, test } from "vitest";
import { IMAGE, OTHER_IMAGE, podOf } from "../../../test/support/sim-fleet.ts";
import { WatchedFleet } from "../../../test/support/watched-fleet.ts";
import type { FleetManifest } from "../../model/index.ts";
import { markRollout } from "../rollouts/mark-rollout.ts";

const SERVICE = { service: "web", rollout: { maxUnavailable: 1 }, restart: { policy: "always" } };

test("watch leaves what waits for a paused rollout, says so once, and mends and restarts the rest", async () => {
  await using world = new WatchedFleet();
  const declared = (image: string, more: object = {}): FleetManifest =>
    world.manifest({ web: podOf({ image }, SERVICE as object), ...more });
  const mark = async (paused: boolean) =>
    await markRollout({
      manifest: declared(IMAGE),
      service: "web",
      paused,
      connector: world.fleet.connector,
      by: "ann@desk",
      now: () => new Date("2026-01-02T03:04:05Z"),
    });
  await world.fleet.apply(declared(IMAGE));
  await mark(true);
  await world.watch(declared(OTHER_IMAGE));
  const { changes, paused } = await world.told("pending");
  const state = "paused since 2026-01-02T03:04:05Z by ann@desk";
  expect(paused).toEqual([{ service: "web", state, waits: 1 }]);
  const reason = `it waits: the rollout of web is ${state}`;
  expect(changes.filter(({ id }) => id === "alpha/web")).toEqual([
    { id: "alpha/web", action: "replace", reason },
  ]);

  world.next = declared(OTHER_IMAGE, { other: podOf() });
  await world.told("changed", ({ outcome }) => outcome.id === "alpha/other");
  await world.fleet.machine().kill(world.identity("web"), "main");
  await world.told("changed", ({ outcome, isRestart }) => isRestart && outcome.id === "alpha/web");
  expect(world.container("web")).toMatchObject({ state: "running", image: { reference: IMAGE } });
  const held = world
    .of("pending")
    .filter((each) => each.changes.some(({ id }) => id === "alpha/web"));
  expect(new Set(held.map((each) => JSON.stringify(each))).size).toBe(held.length);

  await mark(false);
  world.next = declared(OTHER_IMAGE, { other: podOf({ env: { A: "1" } }) });
  await world.told("changed", ({ outcome, isRestart }) => !isRestart && outcome.id === "alpha/web");
  expect(world.container("web", 2)).toMatchObject({ state: "running" });
});
