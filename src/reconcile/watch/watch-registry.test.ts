import { describe, expect, test } from "vitest";
import {
  fakeImage,
  fakeRegistry,
  serveImage,
} from "../../../test/support/registry/fake-registry.ts";
import { podOf } from "../../../test/support/sim-fleet.ts";
import { WatchedFleet, withAnswer } from "../../../test/support/watched-fleet.ts";
import { StowageError } from "../../errors/index.ts";
import { openRegistries, type Registries, type RegistryWait } from "../../image/registry/index.ts";

const ALWAYS = { restart: { policy: "always" } } as const;
const WAIT: RegistryWait = {
  registry: "slow.example",
  doing: 'read manifest "1" of slow.example/app',
  ms: 5000,
  givenUpMs: 60_000,
};
const SLOW = podOf({ image: "slow.example/app:1" });

/** A registry that says nothing until it is let go, and then that it cannot be had. */
function slowRegistry() {
  const { promise, resolve } = withAnswer();
  const registries: Registries = {
    has: ({ domain }) => domain === "slow.example",
    isElsewhere: () => false,
    origin: () => Promise.reject(new Error("It opens nothing")),
    originElsewhere: () => Promise.reject(new Error("It opens nothing")),
    open: async (_, { signal, onWait } = {}) => {
      onWait?.(WAIT);
      const ended = new Promise<void>((end) => signal?.addEventListener("abort", () => end()));
      await Promise.race([promise, ended]);
      throw new StowageError("Cannot read it: nothing came", { code: "unavailable" });
    },
  };
  return { registries, letGo: resolve };
}

describe("watchFleet() and a registry that is long in answering", () => {
  test("tells which one is waited for, and starts again meanwhile what ended", async () => {
    await using world = new WatchedFleet();
    const applied = world.manifest({ web: podOf({}, ALWAYS) });
    await world.fleet.apply(applied);
    const { registries, letGo } = slowRegistry();
    await world.watch(applied, { registries });
    await world.told("listening");
    world.next = world.manifest({ web: podOf({}, ALWAYS), slow: SLOW });
    expect(await world.told("registry-waiting")).toEqual({ type: "registry-waiting", ...WAIT });
    await world.fleet.machine().kill(world.identity("web"), "main");
    const { outcome } = await world.told("changed", ({ isRestart }) => isRestart);
    expect(outcome).toMatchObject({ id: "alpha/web", status: "done" });
    expect(world.of("failed")).toEqual([]);
    letGo();
    expect((await world.told("failed")).reason).toContain("slow.example/app:1");
  });

  test("does not keep a manifest waiting that needs it no more", async () => {
    await using world = new WatchedFleet();
    const applied = world.manifest({ web: podOf() });
    await world.fleet.apply(applied);
    const { registries } = slowRegistry();
    await world.watch(applied, { registries });
    world.next = world.manifest({ web: podOf(), slow: SLOW });
    await world.told("registry-waiting");
    world.next = world.manifest({ web: podOf(), other: podOf() });
    await world.told("changed", ({ outcome }) => outcome.id === "alpha/other");
    expect(world.of("failed")).toEqual([]);
  });

  test("is told of when what was planned is done as well", async () => {
    await using registry = await fakeRegistry(serveImage(fakeImage()));
    await using world = new WatchedFleet();
    const found = openRegistries({ env: { HOME: world.fleet.dir } });
    const registries: Registries = {
      has: (reference) => found.has(reference),
      isElsewhere: () => false,
      origin: async (reference) => await found.origin(reference),
      originElsewhere: async (reference) => await found.originElsewhere(reference),
      open: async (reference, options = {}) => {
        options.onWait?.(WAIT);
        return await found.open(reference, options);
      },
    };
    await world.watch(world.manifest({ web: podOf({ image: `${registry.domain}/app:1` }) }), {
      registries,
    });
    await world.told("changed", ({ outcome }) => outcome.id === "alpha/web");
    expect(world.of("registry-waiting").length).toBeGreaterThan(1);
  });

  test("is told of by a watch that looks once, after what ended was started again", async () => {
    await using world = new WatchedFleet();
    const applied = world.manifest({ web: podOf({}, ALWAYS) });
    await world.fleet.apply(applied);
    await world.fleet.machine().kill(world.identity("web"), "main");
    const { registries, letGo } = slowRegistry();
    const both = world.manifest({ web: podOf({}, ALWAYS), slow: SLOW });
    const end = world.run(both, { registries, once: true });
    await world.told("registry-waiting");
    expect(world.container("web")).toMatchObject({ state: "running", restarts: 1 });
    letGo();
    expect(await end).toBe("failed");
  });
});
