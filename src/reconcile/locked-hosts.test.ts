import { describe, expect, onTestFinished, test } from "vitest";
import { podOf, SimFleet } from "../../test/support/sim-fleet.ts";
import type { ApplyReport, Connector } from "./index.ts";
import { LockedHosts } from "./locked-hosts.ts";

function openFleet(): SimFleet {
  const fleet = new SimFleet();
  onTestFinished(() => fleet[Symbol.dispose]());
  return fleet;
}

// longer than a test may take: whoever comes to its end did not wait that out
const WAITING = { lockTimeoutMs: 60_000, parallelism: 1 };

describe("several runs at the same hosts", () => {
  test("do not wait for each other's locks for ever", async () => {
    const fleet = openFleet();
    const pods = { one: podOf() };
    const both = [
      fleet.manifest({ alpha: pods, beta: pods }),
      fleet.manifest({ beta: pods, alpha: pods }),
    ];
    // each has the first host before it comes to the other
    const reports = await Promise.all(both.map((each) => fleet.apply(each, WAITING)));
    expect(reports.map(({ status }) => status).toSorted()).toEqual(["converged", "done"]);
  }, 20_000);

  test("one of two that meet goes on, though neither waits", async () => {
    const fleet = openFleet();
    const pods = { one: podOf() };
    const both = [
      fleet.manifest({ alpha: pods, beta: pods }),
      fleet.manifest({ beta: pods, alpha: pods }),
    ];
    const ends = await Promise.allSettled(
      both.map((each) => fleet.apply(each, { lockTimeoutMs: 0, parallelism: 1 })),
    );
    expect(ends.map(({ status }) => status)).toContain("fulfilled");
  }, 20_000);

  test("ten come through, one after the other", async () => {
    const fleet = openFleet();
    const hosts = ["alpha", "beta", "gamma"];
    const reports = await Promise.all(
      Array.from({ length: 10 }, async (_, nth) => {
        const order = nth % 2 === 0 ? hosts : hosts.toReversed();
        const pod = { one: podOf({ env: { NTH: String(nth) } }) };
        const manifest = fleet.manifest(Object.fromEntries(order.map((name) => [name, pod])));
        return await fleet.apply(manifest, { lockTimeoutMs: 30_000, parallelism: 1 + (nth % 3) });
      }),
    );
    expect(reports.map(({ status }) => status)).toEqual(Array(10).fill("done"));
  }, 40_000);

  test("one that waits has no lock meanwhile, and tells once of whom it waits for", async () => {
    const fleet = openFleet();
    const pods = { one: podOf() };
    const alpha = fleet.manifest({ alpha: pods });
    const whole = fleet.manifest({ alpha: pods, beta: pods });
    const told: string[] = [];
    let second: Promise<ApplyReport> | undefined;
    await fleet.apply(fleet.manifest({ beta: pods }), {
      confirm: async () => {
        await new Promise<void>((resolve) => {
          second = fleet.apply(whole, {
            ...WAITING,
            onEvent: (event) => {
              if (event.type === "lock-waiting") {
                told.push(event.host);
                resolve();
              }
            },
          });
        });
        expect((await fleet.apply(alpha, { lockTimeoutMs: 0 })).status).toBe("done");
        return true;
      },
    });
    expect((await second)?.status).toBe("done");
    expect(told).toEqual(["beta"]);
  }, 20_000);

  test("one whose time is up names the holder, and has touched nothing", async () => {
    const fleet = openFleet();
    const pods = { one: podOf() };
    const whole = fleet.manifest({ alpha: pods, beta: pods });
    const first = await fleet.apply(fleet.manifest({ beta: pods }), {
      confirm: async () => {
        await expect(fleet.apply(whole, { lockTimeoutMs: 300 })).rejects.toThrow(
          /Cannot lock host "beta": .* holds its lock; wait with --lock-timeout/,
        );
        return true;
      },
    });
    expect(first.status).toBe("done");
    expect((await fleet.plan(whole)).plan.pods.map(({ id }) => id)).toEqual(["alpha/one"]);
  });
});

describe("two names of one machine", () => {
  /** Both lead to one machine; a way that was closed is of no use. */
  function lockedNames() {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: {}, beta: {} });
    const closed: string[] = [];
    const open: Connector["open"] = async (name, spec) => {
      const access = await fleet.connector.open("machine", spec);
      const host = new Proxy(access.host, {
        get(target, property) {
          if (closed.includes(name)) throw new Error(`the way to ${name} is closed`);
          const value = Reflect.get(target, property) as unknown;
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      const close = async () => void closed.push(name);
      return { ...access, host, [Symbol.asyncDispose]: close };
    };
    const openLocks = () => {
      const connector: Connector = { open, read: open };
      return new LockedHosts({ connector, owner: "ann@desk", lockTimeoutMs: 0 });
    };
    const lock = async (locked: LockedHosts, name: string) =>
      await locked.open(name, manifest.hosts[name] as never);
    return { closed, openLocks, lock };
  }

  test("one that is left keeps the other's lock up", async () => {
    const { closed, openLocks, lock } = lockedNames();
    {
      await using locked = openLocks();
      await lock(locked, "alpha");
      const { lock: held } = await lock(locked, "beta");
      locked.keepOnly(new Set(["beta"]));
      await held.check();
      expect(closed).toEqual([]);
      expect(locked.get("alpha")).toBeUndefined();
    }
    expect(closed.toSorted()).toEqual(["alpha", "beta"]);
  });

  test("that are both left give their lock back before the way to it is closed", async () => {
    const { closed, openLocks, lock } = lockedNames();
    {
      await using locked = openLocks();
      await lock(locked, "alpha");
      await lock(locked, "beta");
      locked.keepOnly(new Set());
    }
    expect(closed.splice(0).toSorted()).toEqual(["alpha", "beta"]);
    await using next = openLocks();
    expect((await lock(next, "beta")).lock.number).toBe(2);
  });
});
