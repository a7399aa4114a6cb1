import { describe, expect, test } from "vitest";
import { IMAGE, OTHER_IMAGE, podOf } from "../../../test/support/sim-fleet.ts";
import { WATCH_TIMES, WatchedFleet, withAnswer } from "../../../test/support/watched-fleet.ts";
import { StowageError } from "../../errors/index.ts";

const ALWAYS = { restart: { policy: "always" } } as const;
/** It runs for long enough to be taken for started. */
const FAILING = { command: ["/bin/sh", "-c", "sleep 0.05; exit 3"] };

describe("watchFleet() and restart policies", () => {
  test("starts again what was killed, and counts it on the pod", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf({}, ALWAYS), other: podOf({}, ALWAYS) });
    await world.fleet.apply(manifest);
    await world.watch(manifest);
    await world.told("listening");
    await world.fleet.machine().kill(world.identity("web"), "main");
    const { outcome, isRestart } = await world.told("changed");
    expect({ ...outcome, ms: 0, isRestart }).toMatchObject({
      id: "alpha/web",
      status: "done",
      isRestart: true,
    });
    expect(world.container("web")).toMatchObject({ state: "running", restarts: 1 });
    expect(world.of("changed")).toHaveLength(1);
    expect((await world.fleet.plan(manifest)).plan.pods).toEqual([]);
  });

  test.each([
    [
      "a restart",
      async ({ fleet, identity }: WatchedFleet, pod: string) => {
        await fleet.machine().kill(identity(pod), "main");
      },
    ],
    [
      "mended drift",
      async ({ fleet, identity }: WatchedFleet, pod: string) => {
        await fleet.machine().deletePod(identity(pod));
      },
    ],
  ])("%s is told when it is done, not when what came with it is", async (_, disturb) => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf({}, ALWAYS), other: podOf({}, ALWAYS) });
    await world.fleet.apply(manifest);
    for (const pod of ["web", "other"]) await disturb(world, pod);
    const { promise, resolve } = withAnswer();
    let starts = 0;
    world.fleet.onCall = async ({ name }) => {
      if (name === "engine.start" && ++starts === 1) await promise;
    };
    const run = world.run(manifest, { once: true });
    await world.told("changed");
    expect(world.of("changed")).toHaveLength(1);
    resolve();
    await run;
    expect(
      world
        .of("changed")
        .map(({ outcome }) => outcome.id)
        .sort(),
    ).toEqual(["alpha/other", "alpha/web"]);
  });

  test("leaves what ended with the policy no, says so once, and reports it", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf() });
    await world.fleet.apply(manifest);
    await world.watch(manifest);
    await world.told("listening");
    await world.fleet.machine().kill(world.identity("web"), "main");
    expect(await world.told("left")).toMatchObject({
      id: "alpha/web/main",
      reason: "its restart policy is no",
    });
    const passes = world.of("pass").length;
    // what else happens is looked at as well
    await world.fleet.machine().deletePod(world.identity("web"));
    await world.until(() => world.of("pass").length > passes + 1 || undefined);
    expect(world.of("left")).toHaveLength(1);
    expect(world.container("web")?.state).not.toBe("exited");
  });

  test("gives up what fails after the retries of on-failure, over its own restarts too", async () => {
    await using world = new WatchedFleet();
    const restart = { policy: "on-failure", maxRetries: 3 } as const;
    const manifest = world.manifest({ job: podOf(FAILING, { restart }) });
    await world.fleet.apply(manifest);
    for (let count = 1; count <= 2; count += 1) {
      await world.until(() => world.container("job")?.state === "exited" || undefined);
      await world.run(manifest, { once: true });
      expect(world.container("job")).toMatchObject({ restarts: count });
    }
    await world.watch(manifest);
    expect(await world.told("left")).toMatchObject({ id: "alpha/job/main" });
    expect(world.container("job")).toMatchObject({ state: "exited", restarts: 3 });
    // somebody asks: it begins anew
    await world.fleet.apply(manifest);
    expect(world.container("job")?.restarts).toBeUndefined();
  });

  test("counts a pod that runs after its init container as one that runs", async () => {
    await using world = new WatchedFleet();
    const { containers } = podOf();
    const first = { image: IMAGE, command: ["/bin/sh", "-c", "sleep 0.05; exit 0"], init: true };
    const manifest = world.manifest({ web: { containers: { ...containers, first } } });
    await world.fleet.apply(manifest);
    await world.watch(manifest);
    expect(world.of("pass").at(-1)?.pods).toEqual({ alpha: { running: 1 } });
  });

  test("a pod that flaps is started after pauses that grow, and keeps no other waiting", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({
      bad: podOf(FAILING, ALWAYS),
      good: podOf({}, ALWAYS),
    });
    await world.fleet.apply(manifest);
    await world.watch(manifest);
    await world.told("backing-off", ({ tries }) => tries === 5);
    expect(world.of("backing-off").map(({ pauseMs }) => pauseMs)).toEqual([
      2000, 4000, 8000, 16_000,
    ]);
    // it has ended again, and its pause is not over
    await world.until(() => world.container("bad")?.state === "exited" || undefined);
    await world.fleet.machine().kill(world.identity("good"), "main");
    await world.told("changed", ({ outcome }) => outcome.pod === "good");
    const starts = world.of("changed").filter(({ outcome }) => outcome.pod === "bad").length;
    // its next pause may be over by then on a busy machine; the one after that is twice as long
    expect([5, 6]).toContain(starts);
  });

  test("an engine that starts pods again by itself is left to it", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf({}, ALWAYS) }, false);
    await world.fleet.apply(manifest);
    // its engine takes a second, which has to be less than what it is given
    await world.watch(manifest, { clock: REAL });
    expect(await world.told("listening")).toMatchObject({ by: "events" });
    await world.fleet.machine().kill(world.identity("web"), "main");
    await world.told("heard", ({ event }) => event.kind === "ended");
    await world.told("heard", ({ event }) => event.kind === "started");
    expect(world.container("web")).toMatchObject({ state: "running", restarts: 1 });
    expect(world.of("changed")).toEqual([]);
  });
});

describe("watchFleet() and drift", () => {
  test("mends what somebody paused or removed", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf({}, ALWAYS), db: podOf() });
    await world.fleet.apply(manifest);
    await world.watch(manifest);
    await world.told("listening");
    await world.fleet.machine().alter(world.identity("db"), "main", { state: "paused" });
    await world.fleet.machine().deletePod(world.identity("web"));
    await world.told("changed", ({ outcome }) => outcome.id === "alpha/web");
    await world.until(() => world.container("db")?.state === "running" || undefined);
    expect(world.container("web", 2)).toMatchObject({ state: "running" });
  });

  test("reports it, and nothing else, when it is not to mend; restarts go on", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf({}, ALWAYS), db: podOf({}, ALWAYS) });
    await world.fleet.apply(manifest);
    await world.watch(manifest, { drift: "report" });
    await world.told("listening");
    await world.fleet.machine().alter(world.identity("db"), "main", { state: "paused" });
    const { changes } = await world.told("pending");
    expect(changes).toEqual([
      { id: "alpha/db", action: "start", reason: "containers.main: it is paused" },
    ]);
    await world.fleet.machine().kill(world.identity("web"), "main");
    await world.told("changed", ({ outcome }) => outcome.id === "alpha/web");
    expect(world.container("db")?.state).toBe("paused");
    await world.fleet.machine().alter(world.identity("db"), "main", { state: "running" });
    await world.fleet.machine().alter(world.identity("web"), "main", { state: "paused" });
    await world.told("pending", (told) => told.changes[0]?.id === "alpha/web");
  });

  test("once mends what there is and says what is left", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf({}, ALWAYS), job: podOf() });
    expect(await world.run(manifest, { once: true, drift: "report" })).toBe("drift");
    expect(await world.run(manifest, { once: true })).toBe("done");
    await world.fleet.machine().kill(world.identity("web"), "main");
    expect(await world.run(manifest, { once: true, drift: "report" })).toBe("done");
    await world.fleet.machine().kill(world.identity("job"), "main");
    expect(await world.run(manifest, { once: true })).toBe("drift");
    expect(world.container("job")?.state).toBe("exited");
  });

  test("what cannot be made is tried again after pauses that grow, and restarts go on", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({
      web: podOf({}, ALWAYS),
      bad: podOf({ command: ["/nonexistent/program"] }),
    });
    await world.fleet.apply(world.manifest({ web: podOf({}, ALWAYS) }));
    await world.watch(manifest);
    await world.told("backing-off", ({ id, tries }) => id === "alpha/bad" && tries === 3);
    await world.fleet.machine().kill(world.identity("web"), "main");
    await world.told("changed", ({ outcome }) => outcome.id === "alpha/web");
    const failed = world.of("changed").filter(({ outcome }) => outcome.id === "alpha/bad");
    expect(new Set(failed.map(({ outcome }) => outcome.status))).toEqual(new Set(["failed"]));
    expect(failed.length).toBeLessThan(6);
  });
});

describe("watchFleet() and its declaration", () => {
  test("takes a changed one over, and keeps the last good one of a broken one", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf({}, ALWAYS) });
    await world.fleet.apply(manifest);
    await world.watch(manifest);
    await world.told("listening");
    world.next = new StowageError("Cannot read it: it is broken; mend it", {
      code: "invalid_argument",
    });
    expect(await world.told("declaration-broken")).toMatchObject({ reason: /broken/ });
    await world.fleet.machine().kill(world.identity("web"), "main");
    await world.told("changed", ({ isRestart }) => isRestart);
    world.next = world.manifest({ web: podOf({ image: OTHER_IMAGE }, ALWAYS) });
    await world.told("declaration");
    await world.told("changed", ({ outcome }) => outcome.action === "replace");
    expect(world.container("web", 2)?.spec.image).toBe(OTHER_IMAGE);
  });

  test("one that its hosts refuse is told, and keeps nothing down", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf({}, ALWAYS) });
    await world.fleet.apply(manifest);
    await world.fleet.machine().listen(8080, { name: "nginx" });
    await world.watch(manifest);
    const port = { network: { mode: "host" }, ports: [{ host: 8080 }] } as const;
    world.next = world.manifest({ web: podOf({}, ALWAYS), new: podOf({}, port) });
    expect((await world.told("failed")).reason).toContain("8080");
    await world.fleet.machine().kill(world.identity("web"), "main");
    await world.told("changed", ({ outcome }) => outcome.id === "alpha/web");
  });
});

describe("watchFleet() beside others", () => {
  test("a second watch of a fleet is refused, and one after the first is not", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf() });
    await world.watch(manifest);
    await expect(world.run(manifest)).rejects.toThrow(
      /^Cannot watch fleet "shop": watch@here .* watches it on host alpha; end that watch first$/,
    );
    expect(await world.stop()).toBe("done");
    await using after = new WatchedFleet();
    await after.watch(manifest, { connector: world.fleet.connector });
    expect(after.of("watching")).toHaveLength(1);
  });

  test("waits for an apply that has the lock, says so once, and goes on after it", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf({}, ALWAYS) });
    await world.fleet.apply(manifest);
    await world.watch(manifest);
    await world.told("listening");
    const changed = world.manifest({ web: podOf({ image: OTHER_IMAGE }, ALWAYS) });
    const applying = world.fleet.apply(changed, {
      // its lock is held while the question is open
      confirm: async () => {
        await world.fleet.machine().kill(world.identity("web"), "main");
        await world.told("locked");
        const passes = world.of("pass").length;
        await world.until(() => world.of("pass").length > passes + 2 || undefined);
        return true;
      },
    });
    expect((await applying).status).toBe("done");
    expect(world.of("locked")).toHaveLength(1);
    expect(world.of("locked")[0]?.reason).toMatch(
      /^host "alpha" is locked by tester@here \(pid \d+\) since /,
    );
    expect(world.container("web", 2)?.spec.image).toBe(OTHER_IMAGE);
  });

  test("a host that cannot be reached is told once, and watched when it can", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf({ image: IMAGE }, ALWAYS) });
    await world.fleet.apply(manifest);
    world.fleet.down.set("alpha", new StowageError("it is down", { code: "unavailable" }));
    await world.watch(manifest, {
      times: { ...WATCH_TIMES, fullIntervalMs: 3000 },
    });
    await world.until(() => world.of("pass").length > 2 || undefined);
    expect(world.of("unreachable")).toEqual([
      { type: "unreachable", host: "alpha", reason: "it is down" },
    ]);
    expect(world.of("deaf")).toEqual([{ type: "deaf", host: "alpha", reason: "it is down" }]);
    world.fleet.down.clear();
    await world.told("reachable");
    await world.told("listening");
    await world.fleet.machine().kill(world.identity("web"), "main");
    await world.told("changed", ({ isRestart }) => isRestart);
  });

  test("a host that is rebooted is watched on, and by no other watch", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf({}, ALWAYS) });
    await world.fleet.apply(manifest);
    // no whole look comes by itself
    const times = { ...WATCH_TIMES, fullIntervalMs: 60_000_000 };
    await world.watch(manifest, { lockLifeMs: 1_500, times });
    await world.told("listening");
    await world.fleet.machine().reboot();
    await world.told("changed", ({ isRestart }) => isRestart);
    await world.until(
      () =>
        world.fleet
          .machine()
          .read(({ files }) =>
            Object.keys(files).some((path) => path.startsWith("/run/stowage/watch/")),
          ) || undefined,
    );
    await expect(world.run(manifest)).rejects.toThrow(/watches it on host alpha/);
    expect(await world.stop()).toBe("done");
  });

  test("stops when it is told to, and gives its lock back", async () => {
    await using world = new WatchedFleet();
    const manifest = world.manifest({ web: podOf() }, false);
    await world.watch(manifest);
    await world.told("listening");
    expect(await world.stop()).toBe("done");
    expect(world.events.at(-1)).toEqual({ type: "stopping" });
    const locks = world.fleet
      .machine()
      .read(({ files }) =>
        Object.entries(files).filter(([path]) => path.startsWith("/run/stowage/")),
      );
    expect(locks.length).toBeGreaterThan(1);
    for (const [, { text }] of locks) expect(JSON.parse(text)).toMatchObject({ released: true });
  });
});

const REAL = {
  now: () => performance.now(),
  sleep: async (ms: number, signal: AbortSignal) => {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  },
};
