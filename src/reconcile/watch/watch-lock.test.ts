import { expect, test } from "vitest";
import { podOf, SimFleet } from "../../../test/support/sim-fleet.ts";
import type { FleetManifest } from "../../model/index.ts";
import type { Connector } from "../connector.ts";
import { WatchLocks } from "./watch-lock.ts";

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
