import { expect, test, vi } from "vitest";
import { podOf, SimFleet } from "../../../test/support/sim-fleet.ts";
import { StowageError } from "../../errors/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import type { Connector } from "../connector.ts";
import { WatchLocks } from "./watch-lock.ts";

/** Within which a lock is renewed several times. */
const LIFE_MS = 600;

const { signal } = new AbortController();

/** Leads to the machine that a host's address names, whatever its name is. */
function byAddress({ connector }: SimFleet): Connector {
  const at = ({ address }: FleetManifest["hosts"][string]) => new URL(address).hostname;
  return {
    read: async (_, spec, until) => await connector.read(at(spec), spec, until),
    open: async (_, spec, until) => await connector.open(at(spec), spec, until),
  };
}

/** A manifest of hosts by the machine that each is. */
function declared(fleet: SimFleet, machines: Readonly<Record<string, string>>): FleetManifest {
  const pods = Object.fromEntries(Object.keys(machines).map((name) => [name, { web: podOf() }]));
  const made = fleet.manifest(pods);
  const hosts = Object.entries(made.hosts).map(([name, host]) => [
    name,
    { ...host, address: `ssh://${machines[name]}` },
  ]);
  return { ...made, hosts: Object.fromEntries(hosts) };
}

/** Whether another watch may have these machines. */
async function isFree(fleet: SimFleet, ...machines: readonly string[]): Promise<boolean> {
  await using other = new WatchLocks(byAddress(fleet), "other@there");
  const names = Object.fromEntries(machines.map((machine, at) => [`host-${at}`, machine]));
  try {
    await other.take(declared(fleet, names), signal);
    return true;
  } catch {
    return false;
  }
}

test("hosts that are one machine, with one directory for what lives while it runs, are watched by one watch", async () => {
  using fleet = new SimFleet();
  await using locks = new WatchLocks(byAddress(fleet), "watch@here");
  await locks.take(declared(fleet, { left: "one", right: "one" }), signal);
  expect(await isFree(fleet, "one")).toBe(false);
  await locks.take(declared(fleet, { right: "one" }), signal);
  expect(await isFree(fleet, "one")).toBe(false);
});

test("a host that is given another name stays watched", async () => {
  using fleet = new SimFleet();
  await using locks = new WatchLocks(byAddress(fleet), "watch@here");
  await locks.take(declared(fleet, { old: "one" }), signal);
  await locks.take(declared(fleet, { new: "one" }), signal);
  expect(await isFree(fleet, "one")).toBe(false);
});

test("a host with another address is watched there, and one that leaves is not any more", async () => {
  using fleet = new SimFleet();
  await using locks = new WatchLocks(byAddress(fleet), "watch@here");
  await locks.take(declared(fleet, { moves: "one", leaves: "two" }), signal);
  await locks.take(declared(fleet, { moves: "three" }), signal);
  expect(await isFree(fleet, "three")).toBe(false);
  expect(await isFree(fleet, "one", "two")).toBe(true);
});

/** The numbers of a machine's watch locks, and who has them. */
function lockFiles(fleet: SimFleet, machine: string): readonly string[] {
  return fleet
    .machine(machine)
    .read(({ files }) =>
      Object.keys(files).filter((path) => path.startsWith("/run/stowage/watch")),
    );
}

test("a host that was rebooted is taken anew, and the watch does not end", async () => {
  using fleet = new SimFleet();
  await using locks = new WatchLocks(byAddress(fleet), "watch@here", LIFE_MS);
  const manifest = declared(fleet, { booted: "one", other: "two" });
  await locks.take(manifest, signal);
  const ended = new Promise<void>((resolve) => {
    locks.onEnd = resolve;
  });
  await fleet.machine("one").reboot();
  await ended;
  await locks.take(manifest, signal, new Set(["other"]));
  expect(lockFiles(fleet, "one")).toEqual([]);
  await locks.take(manifest, signal, new Set(["booted", "other"]));
  expect(await isFree(fleet, "one")).toBe(false);
  expect(locks.signal.aborted).toBe(false);
});

test("a host that another watch has since it was rebooted ends this one, which names it", async () => {
  using fleet = new SimFleet();
  await using locks = new WatchLocks(byAddress(fleet), "watch@here", 10 * LIFE_MS);
  await locks.take(declared(fleet, { booted: "one" }), signal);
  const ended = new Promise<unknown>((resolve) => {
    locks.signal.addEventListener("abort", () => resolve(locks.signal.reason));
  });
  await fleet.machine("one").reboot();
  await using other = new WatchLocks(byAddress(fleet), "other@there");
  await other.take(declared(fleet, { only: "one" }), signal);
  expect(String(await ended)).toMatch(
    /Cannot watch fleet "shop": other@there .* watches it on host booted; end that watch first/,
  );
});

test("a host that another watch took while this one had lost it ends this one", async () => {
  using fleet = new SimFleet();
  await using locks = new WatchLocks(byAddress(fleet), "watch@here", LIFE_MS);
  const manifest = declared(fleet, { booted: "one" });
  await locks.take(manifest, signal);
  const ended = new Promise<void>((resolve) => {
    locks.onEnd = resolve;
  });
  await fleet.machine("one").reboot();
  await ended;
  await using other = new WatchLocks(byAddress(fleet), "other@there");
  await other.take(declared(fleet, { only: "one" }), signal);
  await expect(locks.take(manifest, signal)).rejects.toThrow(/other@there .* watches it/);
  expect(locks.signal.aborted).toBe(true);
});

test("its own lock, renewed by what it heard no answer to, is waited for and taken anew", async () => {
  using fleet = new SimFleet();
  const manifest = declared(fleet, { cut: "one" });
  let isCut = true;
  const { read, open } = byAddress(fleet);
  const deaf: Connector = {
    read,
    open: async (...asked) => {
      const access = await open(...asked);
      const host = new Proxy(access.host, {
        get(target, property) {
          if (property === "writeFile" && isCut)
            return async (...file: Parameters<typeof target.writeFile>) => {
              await target.writeFile(...file);
              throw new StowageError("no answer", { code: "unavailable" });
            };
          const value = Reflect.get(target, property) as unknown;
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      return { ...access, host };
    },
  };
  await using locks = new WatchLocks(deaf, "watch@here", LIFE_MS);
  await locks.take(manifest, signal);
  await new Promise<void>((resolve) => {
    locks.onEnd = resolve;
  });
  isCut = false;
  await vi.waitFor(
    async () => {
      await locks.take(manifest, signal);
      expect(lockFiles(fleet, "one")).toEqual([expect.stringMatching(/\/2\.json$/)]);
    },
    { timeout: 20_000 },
  );
  expect(locks.signal.aborted).toBe(false);
}, 30_000);

test("hosts that do not answer are waited for together", async () => {
  using fleet = new SimFleet();
  const { read, open } = byAddress(fleet);
  const begun = new Set<string>();
  let resolve = (): void => undefined;
  const all = new Promise<void>((done) => {
    resolve = done;
  });
  const slow: Connector = {
    read,
    open: async (name, ...rest) => {
      begun.add(name);
      if (begun.size === 3) resolve();
      await all;
      if (name !== "there") throw new StowageError("no answer", { code: "unavailable" });
      return await open(name, ...rest);
    },
  };
  await using locks = new WatchLocks(slow, "watch@here");
  await locks.take(declared(fleet, { gone: "one", off: "two", there: "three" }), signal);
  expect(await isFree(fleet, "three")).toBe(false);
  expect(await isFree(fleet, "one", "two")).toBe(true);
});
