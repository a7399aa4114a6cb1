import { describe, expect, test } from "vitest";
import { podOf } from "../../../test/support/sim-fleet.ts";
import { WatchedFleet, withAnswer } from "../../../test/support/watched-fleet.ts";
import { StowageError } from "../../errors/index.ts";

const PORT = 8080;

/** A pod whose probe may fail twice in a row. */
function probed(whenUnhealthy?: "report" | "restart", port = PORT) {
  const health = {
    kind: "tcp" as const,
    port,
    retries: 3,
    ...(whenUnhealthy === undefined ? {} : { whenUnhealthy }),
  };
  const pod = { restart: { policy: "always" }, network: { mode: "host" } } as const;
  return podOf({ health }, { ...pod, ports: [{ host: port }] });
}

describe("watchFleet() and probes", () => {
  test("ends a pod whose probe fails as often as it may, and starts it again, with pauses that grow", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: probed("restart"), other: probed("restart", 8081) });
    await world.fleet.apply(manifest);
    await world.watch(manifest);
    await world.told("listening");
    const before = world.container("web");
    await world.fleet.machine().setHealth(PORT, "it hangs");
    expect(await world.told("unhealthy")).toEqual({
      type: "unhealthy",
      id: "alpha/web",
      container: "main",
      reason: "it hangs",
      tries: 3,
      restarts: true,
    });
    const { outcome, isRestart } = await world.told("changed");
    expect({ ...outcome, ms: 0, isRestart }).toMatchObject({
      id: "alpha/web",
      action: "restart",
      status: "done",
      isRestart: true,
    });
    expect(world.container("web")).toMatchObject({ state: "running", restarts: 1 });
    expect(world.container("web")?.pid).not.toBe(before?.pid);
    // it hangs again, and is no crash loop
    expect((await world.told("backing-off")).pauseMs).toBe(2000);
    await world.fleet.machine().setHealth(PORT, undefined);
    await world.told("recovered");
    expect(new Set(world.of("changed").map((each) => each.outcome.pod))).toEqual(new Set(["web"]));
    expect((await world.fleet.plan(manifest)).plan.pods).toEqual([]);
  });

  test("reports what is unhealthy, once, where nothing else is declared", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: probed() });
    await world.fleet.apply(manifest);
    await world.watch(manifest);
    await world.told("listening");
    const { pid } = world.container("web") ?? {};
    await world.fleet.machine().setHealth(PORT, "it hangs");
    expect(await world.told("unhealthy")).toMatchObject({ id: "alpha/web", restarts: false });
    await world.fleet.machine().kill(world.identity("web"), "main");
    // another process has all its tries before it
    expect(await world.told("recovered")).toMatchObject({ how: "ended" });
    await world.told("unhealthy", () => world.of("unhealthy").length === 2);
    await world.fleet.machine().setHealth(PORT, undefined);
    await world.told("recovered", ({ how }) => how === "passes");
    expect(world.of("changed")).toHaveLength(1);
    expect(world.container("web")?.pid).not.toBe(pid);
    expect(world.of("unhealthy")).toHaveLength(2);
  });

  test("a probe that does not answer keeps no other waiting, and ends with the watch", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: probed(), other: probed("report", 8081) });
    await world.fleet.apply(manifest);
    let isHeld = false;
    const answer = withAnswer();
    world.fleet.onCall = async ({ name }) => {
      if (name !== "host.probe" || isHeld) return;
      isHeld = true;
      await answer.promise;
    };
    for (const port of [PORT, 8081]) await world.fleet.machine().setHealth(port, "it hangs");
    await world.watch(manifest);
    const { id } = await world.told("unhealthy");
    expect(world.of("unhealthy")).toHaveLength(1);
    // it has its tries before it
    answer.resolve();
    await world.told("unhealthy", (other) => other.id !== id);
    expect(await world.stop()).toBe("done");
  });

  test("what is asked no more, as its host has no probe any more, is not unhealthy for ever", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: probed() });
    await world.fleet.apply(manifest);
    await world.watch(manifest);
    await world.fleet.machine().setHealth(PORT, "it hangs");
    await world.told("unhealthy");
    world.next = world.manifest({ web: podOf({}, { restart: { policy: "always" } }) });
    expect(await world.told("recovered")).toMatchObject({ id: "alpha/web" });
  });

  test("a host that cannot be asked is told once, and its probes are asked when it can", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: probed("restart") });
    await world.fleet.apply(manifest);
    world.fleet.down.set("alpha", new StowageError("it is down", { code: "unavailable" }));
    await world.watch(manifest);
    expect(await world.told("unasked")).toMatchObject({ host: "alpha", reason: "it is down" });
    world.fleet.down.clear();
    await world.fleet.machine().setHealth(PORT, "it hangs");
    await world.told("changed", ({ outcome }) => outcome.action === "restart");
    expect(world.of("unasked")).toHaveLength(1);
  });
});
