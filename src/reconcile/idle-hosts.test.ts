import { describe, expect, onTestFinished, test } from "vitest";
import { podOf, SimFleet } from "../../test/support/sim-fleet.ts";
import { StowageError } from "../errors/index.ts";
import type { ApplyReport, Connector } from "./index.ts";

function openFleet(): SimFleet {
  const fleet = new SimFleet();
  onTestFinished(() => fleet[Symbol.dispose]());
  return fleet;
}

const NAMES = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];

/** The same pod on each of the hosts; on one of them another. */
function manifestOf(fleet: SimFleet, names: readonly string[], changed?: string) {
  const pods = (name: string) => ({ one: podOf(name === changed ? { env: { NEW: "1" } } : {}) });
  return fleet.manifest(Object.fromEntries(names.map((name) => [name, pods(name)])));
}

/** A connector that notes which ways were opened, and how many were open at once. */
function watched(
  connector: Connector,
  beforeOpen: (name: string) => Promise<void> = async () => {},
) {
  const ways = { read: [] as string[], open: [] as string[], atOnce: 0, most: 0 };
  const noted = <T extends AsyncDisposable>(way: T): T => {
    ways.atOnce += 1;
    ways.most = Math.max(ways.most, ways.atOnce);
    const close = async () => {
      ways.atOnce -= 1;
      await way[Symbol.asyncDispose]();
    };
    return { ...way, [Symbol.asyncDispose]: close };
  };
  const made: Connector = {
    read: async (name, ...rest) => {
      ways.read.push(name);
      return noted(await connector.read(name, ...rest));
    },
    open: async (name, ...rest) => {
      ways.open.push(name);
      await beforeOpen(name);
      return noted(await connector.open(name, ...rest));
    },
  };
  return { connector: made, ways };
}

describe("hosts that an apply does nothing on", () => {
  test("are free for others while it works, and while it asks", async () => {
    const fleet = openFleet();
    await fleet.apply(manifestOf(fleet, ["alpha", "beta"]));
    const other = manifestOf(fleet, ["alpha", "beta"], "beta");
    const report = await fleet.apply(manifestOf(fleet, ["alpha", "beta"], "alpha"), {
      confirm: async () => {
        const onBeta = { options: { hosts: ["beta"] }, lockTimeoutMs: 5_000 };
        expect((await fleet.apply(other, onBeta)).status).toBe("done");
        await expect(fleet.apply(other, { options: { hosts: ["alpha"] } })).rejects.toThrow(
          /Cannot lock host "alpha"/,
        );
        return true;
      },
    });
    expect(report.outcomes.map(({ id, status }) => `${id} ${status}`)).toEqual(["alpha/one done"]);
  });

  test("of a large fleet are never locked, and no connection to them is kept", async () => {
    const fleet = openFleet();
    const few = { parallelism: 1 };
    await fleet.apply(manifestOf(fleet, NAMES), few);
    const { connector, ways } = watched(fleet.connector);
    const report = await fleet.apply(manifestOf(fleet, NAMES, "gamma"), { ...few, connector });
    expect(report.outcomes.map(({ id, status }) => `${id} ${status}`)).toEqual(["gamma/one done"]);
    expect(ways).toEqual({ read: NAMES, open: ["gamma"], atOnce: 0, most: 1 });
    const again = watched(fleet.connector);
    const { status } = await fleet.apply(manifestOf(fleet, NAMES, "gamma"), {
      ...few,
      connector: again.connector,
    });
    expect(status).toBe("converged");
    expect(again.ways.open).toEqual([]);
  });

  test("of a large fleet are not tried again when they cannot be reached", async () => {
    const fleet = openFleet();
    await fleet.apply(manifestOf(fleet, NAMES), { parallelism: 1 });
    const { connector, ways } = watched(fleet.connector);
    fleet.down.set("beta", new StowageError("Cannot reach it", { code: "unavailable" }));
    const manifest = manifestOf(fleet, NAMES, "gamma");
    const report = await fleet.apply(manifest, { parallelism: 1, connector });
    expect(report.status).toBe("incomplete");
    expect(report.outcomes.map(({ id, status }) => `${id} ${status}`)).toEqual([
      "beta/unreachable not-run",
      "gamma/one done",
    ]);
    expect(ways.open).toEqual(["gamma"]);
  });

  test("of a large fleet are waited for while somebody works on them", async () => {
    const fleet = openFleet();
    await fleet.apply(manifestOf(fleet, NAMES));
    const whole = manifestOf(fleet, NAMES, "gamma");
    await fleet.apply(manifestOf(fleet, NAMES, "zeta"), {
      options: { hosts: ["zeta"] },
      confirm: async () => {
        await expect(fleet.apply(whole, { parallelism: 1 })).rejects.toThrow(
          /Cannot lock host "zeta"/,
        );
        return true;
      },
    });
  });

  test("of a large fleet that somebody works on are waited for before its plan is refused", async () => {
    const fleet = openFleet();
    const port = { network: { mode: "host" }, ports: [{ host: 8080 }] } as const;
    const hosts = Object.fromEntries(NAMES.map((name) => [name, { one: podOf() }]));
    const wanted = fleet.manifest({ ...hosts, zeta: { one: podOf({}, port) } });
    const holder = (pods: object) => fleet.manifest({ zeta: { ...pods } }, { name: "holder" });
    await fleet.apply(holder({ web: podOf({}, port) }));
    await expect(fleet.apply(wanted, { parallelism: 1 })).rejects.toThrow(/8080/);
    let report: Promise<ApplyReport> | undefined;
    await fleet.apply(holder({}), {
      allowRemovals: 1,
      confirm: async () => {
        await new Promise<void>((resolve, reject) => {
          report = fleet.apply(wanted, {
            parallelism: 1,
            lockTimeoutMs: 20_000,
            onEvent: ({ type }) => {
              if (type === "lock-waiting") resolve();
            },
          });
          report.catch(reject);
        });
        return true;
      },
    });
    expect((await report)?.status).toBe("done");
  }, 30_000);

  test("of a large fleet are locked after all when there is something to do on them by then", async () => {
    const fleet = openFleet();
    await fleet.apply(manifestOf(fleet, NAMES));
    const more = manifestOf(fleet, [...NAMES, "omega"]);
    fleet.down.set("omega", new StowageError("Cannot reach it", { code: "unavailable" }));
    let isFirst = true;
    const { connector, ways } = watched(fleet.connector, async () => {
      if (!isFirst) return;
      isFirst = false;
      // all others are to know of that host now as well
      await fleet.apply(more, { options: { hosts: ["gamma"] } });
    });
    const manifest = manifestOf(fleet, NAMES, "gamma");
    const report = await fleet.apply(manifest, { parallelism: 1, connector });
    expect(new Set(ways.open)).toEqual(new Set([...NAMES, "omega"]));
    const done = report.outcomes.filter(({ status }) => status === "done").map(({ id }) => id);
    expect(done).toContain("gamma/one");
    expect(done).toContain("alpha/roster");
  });
});
