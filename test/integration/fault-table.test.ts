import { renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import {
  restartPrivateContainerd,
  stopPrivateContainerd,
} from "../../scripts/lib/private-containerd.ts";
import { startTemporaryContainerd } from "../../scripts/lib/temporary-containerd.ts";
import { StowageError } from "../../src/errors/index.ts";
import type { FleetManifest } from "../../src/model/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import type { RealEngine } from "../set-up/engine-provision.ts";
import { ContainerdLab } from "../support/engines/containerd-lab.ts";
import type { Traces } from "../support/engines/engine-lab.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { EVERY_FAULT, FAULTS_NAMED, FIRST_TURN, MANY_FAULTS } from "../support/every-fault.ts";
import { type Fault, FaultPoint, faultsOf, type RecordedCall } from "../support/faults/fault.ts";
import { FaultFleet } from "../support/faults/fault-fleet.ts";
import { GrpcProxy } from "../support/faults/grpc-proxy.ts";

/** Faults that are tried where not all of them are, by how long an apply takes. */
const SAMPLES: Readonly<Record<RealEngine, number>> = { containerd: 14, podman: 6, rkt: 8 };
/** Whatever goes wrong, an apply ends by itself. */
const APPLY_ENDS_MS = 100_000;

const run = { image: "app:1", command: ["sleep", "100000"], stopSignal: "SIGKILL" };

/** A fleet with all that an apply makes: images, volumes, files, secrets, a network, a port, limits. */
function pods(image: string, of: string, more: object): Readonly<Record<string, object>> {
  return {
    db: {
      volumes: { data: { kind: "named", name: "data" } },
      containers: { main: { ...run, image, mounts: [{ volume: "data", path: "/data" }] } },
    },
    web: {
      network: { mode: "bridge", name: "front" },
      ports: [{ host: 18080, container: 8080 }],
      containers: {
        main: {
          ...run,
          files: {
            "/etc/app.conf": { content: of },
            "/run/secrets/token": { secret: { fromEnv: "TOKEN" } },
          },
        },
        side: { ...run, env: { OF: of } },
      },
    },
    live: { containers: { main: { ...run, resources: { pidsMax: of.length + 50 } } } },
    ...more,
  };
}

const SIDES = [
  pods("app:1", "a", { passing: { containers: { main: run } } }),
  pods("app:2", "bb", {}),
] as const;

/** A fleet that goes from one declaration to the other and back, a fault each time. */
class FaultTable {
  readonly #fleet: FaultFleet;
  readonly #settled: () => Promise<void>;
  readonly #sides: readonly FleetManifest[];
  readonly #expected: Traces[] = [];
  #faults: readonly (readonly Fault[])[] = [];
  #at = 1;

  constructor(fleet: FaultFleet, settled: () => Promise<void> = async () => {}) {
    this.#fleet = fleet;
    this.#settled = settled;
    fleet.image("app:1");
    fleet.image("app:2");
    fleet.environment = { ...process.env, TOKEN: "canary" };
    this.#sides = SIDES.map((side) => fleet.manifest(side, { networks: { front: {} } }));
  }

  /** Records both directions undisturbed. An engine makes things with its first use: the second time counts. */
  async record(): Promise<void> {
    const calls: (readonly RecordedCall[])[] = [];
    for (const to of [0, 1, 0, 1]) {
      this.#at = to;
      this.#fleet.faults.arm();
      expect((await this.#apply()).status).toBe("done");
      calls[to] = this.#fleet.faults.calls;
      await this.#expectConverged("undisturbed");
      this.#expected[to] = await this.#fleet.traces();
    }
    this.#faults = faultsOf(calls);
  }

  /** @returns how many there are, how many were tried, and how many of those came about */
  async tryFaults(): Promise<{ of: number; tried: number; struck: number; wrong: string[] }> {
    const chosen = this.#faults.map((each) => choose(each, SAMPLES[this.#fleet.labs[0].kind]));
    const result = { of: this.#faults.flat().length, tried: 0, struck: 0, wrong: [] as string[] };
    const turns = 2 * Math.max(...chosen.map((each) => each.length));
    // each direction begins where the other one ends
    for (let turn = FIRST_TURN - (FIRST_TURN % 2); turn < turns; turn += 1) {
      this.#at = 1 - this.#at;
      const fault = chosen[this.#at]?.[Math.floor(turn / 2)];
      if (fault === undefined) {
        await this.#expectConverged("no fault");
        continue;
      }
      result.tried += 1;
      const { struck, wrong } = await this.#try(fault);
      const what = `${fault.kind} at ${fault.call}${struck ? "" : ", which was not made"}`;
      if (MANY_FAULTS) console.log(`turn ${turn} of ${turns}: ${what}`);
      if (struck) result.struck += 1;
      if (wrong === undefined) continue;
      result.wrong.push(wrong);
      console.log(wrong);
    }
    return result;
  }

  /** @returns what did not hold */
  async #try(fault: Fault): Promise<{ readonly struck: boolean; readonly wrong?: string }> {
    const what = `${fault.kind} at ${fault.call}, time ${fault.nth}, to side ${this.#at}`;
    const { faults } = this.#fleet;
    faults.arm(fault);
    const applying = this.#apply().then(
      ({ status }) => status,
      (error: unknown) =>
        StowageError.is(error) || (error as Error).name === "DiagnosticsError"
          ? "refused"
          : `threw ${(error as Error).stack}`,
    );
    const status = await Promise.race([
      applying,
      delay(APPLY_ENDS_MS, "did not end", { ref: false }),
    ]);
    const { struck } = faults;
    try {
      expect(status, what).not.toMatch(/^threw|did not end/);
      await this.#settled();
      await this.#expectConverged(what);
      const found = await this.#fleet.traces();
      const other = differences(this.#expected[this.#at] ?? {}, found);
      expect(other, `${what}: ${other.join("; ")}`).toEqual([]);
      return { struck };
    } catch (error) {
      if (!MANY_FAULTS) throw error;
      return { struck, wrong: `${what}: ${(error as Error).message}` };
    }
  }

  /** Applies again with all well, and expects that there is nothing to do then. */
  async #expectConverged(what: string): Promise<void> {
    const { faults } = this.#fleet;
    faults.arm();
    const report = await this.#apply();
    const failed = report.outcomes.filter(({ status }) => status !== "done");
    expect(failed, `${what}: ${words(failed)}`).toEqual([]);
    const { pods: changes, hostChanges } = await this.#fleet.plan(this.#manifest);
    const left = [...changes, ...hostChanges];
    expect(left, `${what}: ${words(left)}`).toEqual([]);
  }

  async #apply() {
    return await this.#fleet.apply(this.#manifest, { lockTimeoutMs: 60_000, lockLifeMs: 5_000 });
  }

  get #manifest(): FleetManifest {
    return this.#sides[this.#at] as FleetManifest;
  }
}

/** Something for people who look for what went wrong. */
function words(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    each instanceof Error ? each.message : each,
  ).slice(0, 1500);
}

/** Lines that are missing (-) and lines that are too many (+), by where they were looked for. */
function differences(expected: Traces, found: Traces): readonly string[] {
  return Object.entries(expected).flatMap(([where, lines]) => {
    const rest = [...(found[where] ?? [])];
    const missing = lines.filter((line) => {
      const at = rest.indexOf(line);
      if (at >= 0) rest.splice(at, 1);
      return at < 0;
    });
    return [
      ...missing.map((line) => `- ${where}: ${line}`),
      ...rest.map((line) => `+ ${where}: ${line}`),
    ];
  });
}

/** Faults of one direction that are tried: by default so many of them, evenly. */
function choose(all: readonly Fault[], count: number): readonly Fault[] {
  if (EVERY_FAULT) return all;
  const wanted = FAULTS_NAMED;
  if (wanted !== undefined)
    return all.filter(({ kind, call }) => `${kind} ${call}`.includes(wanted));
  const step = (2 * all.length) / count;
  return Array.from(
    { length: count / 2 },
    (_, nth) => all[Math.floor((nth + 0.5) * step)] as Fault,
  );
}

async function expectTable(table: FaultTable): Promise<void> {
  await table.record();
  const { of, tried, struck, wrong } = await table.tryFaults();
  console.log(`${of} faults, ${tried} tried, ${struck} came about, ${wrong.length} not mended`);
  expect(wrong).toEqual([]);
  expect(struck).toBeGreaterThan(tried / 2);
}

const TIME = MANY_FAULTS ? 7_200_000 : 300_000;

describeWithEngine("containerd", "faults of an apply on containerd", () => {
  test(
    "whatever call goes wrong in whatever way, the next apply ends where an undisturbed one does",
    async () => {
      const { dir, address } = await startTemporaryContainerd();
      const faults = new FaultPoint();
      const [aside, stand] = [join(dir, "aside.sock"), join(dir, "proxy.sock")];
      // shims are known by the address of their daemon: the proxy has that one
      const stepAside = (): void => {
        renameSync(address, aside);
        symlinkSync(stand, address);
      };
      const restart = async (): Promise<void> => {
        await restartPrivateContainerd(dir);
        stepAside();
      };
      stepAside();
      const proxy = await GrpcProxy.open(stand, { socket: aside, restart }, faults);
      try {
        await using fleet = new FaultFleet(faults, () => new ProxiedLab(aside, address));
        await expectTable(new FaultTable(fleet, () => proxy.settled()));
        expect(proxy.endless).toEqual([]);
      } finally {
        await proxy[Symbol.asyncDispose]();
        await stopPrivateContainerd(dir);
      }
    },
    TIME,
  );
});

for (const kind of ["podman", "rkt"] as const) {
  describeWithEngine(kind, `faults of an apply on ${kind}`, (engine) => {
    test(
      "whatever call goes wrong in whatever way, the next apply ends where an undisturbed one does",
      async () => {
        const faults = new FaultPoint();
        await using fleet = new FaultFleet(faults, (places) => openLab(kind, engine, places));
        await expectTable(new FaultTable(fleet));
      },
      TIME,
    );
  });
}

/** A containerd that is looked at directly, and applied to through a proxy. */
class ProxiedLab extends ContainerdLab {
  readonly #proxy: string;

  constructor(address: string, proxy: string) {
    super(address);
    this.#proxy = proxy;
  }

  override get config() {
    return { ...super.config, socket: this.#proxy } as const;
  }
}
