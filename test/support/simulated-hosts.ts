import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeImage } from "../../scripts/lib/make-image.ts";
import {
  type CallHook,
  openSim,
  type SimFault,
  type SimMachine,
  SimWorld,
} from "../../src/engines/sim/index.ts";
import type { FleetManifest, HostSpec } from "../../src/model/index.ts";
import type { Plan, PlanOptions } from "../../src/plan/index.ts";
import {
  type ApplyEvent,
  type ApplyReport,
  applyFleet,
  type Connector,
  planFleet,
} from "../../src/reconcile/index.ts";
import { SECRETS } from "./secrets.ts";
import { simEngineAt } from "./sim-fleet.ts";

/** References of the images that {@link makeLayout} makes. */
export const IMAGES = ["app:1", "app:2"] as const;

/** A layout with small images on disk, taken away at the end. */
export async function makeLayout(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "stw-sim-"));
  for (const reference of IMAGES) {
    await makeImage({
      out: join(path, "layout"),
      reference,
      files: new Map([["/etc/name", { content: reference, mode: 0o644 }]]),
      config: { entrypoint: ["sleep", "infinity"] },
    });
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Options of one run over simulated hosts. */
export interface SimRun {
  readonly options?: PlanOptions;
  readonly faults?: readonly SimFault[];
  readonly onCall?: CallHook;
  readonly environment?: Readonly<Record<string, string>>;
  readonly savedPlan?: Plan;
  readonly lockTimeoutMs?: number;
  readonly lockLifeMs?: number;
  readonly allowRemovals?: number;
  readonly appliedBy?: string;
  readonly onEvent?: (event: ApplyEvent) => void;
}

/** Simulated hosts that outlive every run over them, on a clock that takes no time. */
export class SimulatedHosts {
  readonly #world: SimWorld;
  readonly #manifestDir: string;

  constructor(manifestDir: string, clock: "real" | "virtual" = "virtual") {
    this.#world = new SimWorld({ clock });
    this.#manifestDir = manifestDir;
  }

  machine(host: string): SimMachine {
    return this.#world.machine(host);
  }

  async plan(manifest: FleetManifest, run: SimRun = {}): Promise<Plan> {
    const made = await planFleet({ ...this.#request(manifest, run), options: run.options ?? {} });
    return made.plan;
  }

  async apply(manifest: FleetManifest, run: SimRun = {}): Promise<ApplyReport> {
    return await applyFleet({
      ...this.#request(manifest, run),
      savedPlan: run.savedPlan,
      confirm: async () => true,
      appliedBy: run.appliedBy ?? "test@desk",
      settleMs: 0,
      lockTimeoutMs: run.lockTimeoutMs ?? 0,
      lockLifeMs: run.lockLifeMs,
      allowRemovals: run.allowRemovals ?? 1_000,
      onEvent: run.onEvent ?? (() => {}),
    });
  }

  #request(manifest: FleetManifest, run: SimRun) {
    return {
      manifest,
      manifestDir: this.#manifestDir,
      connector: this.#connector(run),
      environment: run.environment ?? SECRETS,
      options: run.options ?? {},
    };
  }

  #connector({ faults, onCall }: SimRun): Connector {
    const open = async (name: string, { engine }: HostSpec) => {
      if (engine.kind !== "sim") throw new Error("only simulated hosts are opened here");
      const {
        host,
        engine: opened,
        engineAt,
      } = openSim(engine, name, {
        world: this.#world,
        ...(faults === undefined ? {} : { faults }),
        ...(onCall === undefined ? {} : { onCall }),
      });
      return {
        host,
        engine: opened,
        engineAt: simEngineAt(engineAt),
        [Symbol.asyncDispose]: async () => {
          await opened[Symbol.asyncDispose]();
          await host[Symbol.asyncDispose]();
        },
      };
    };
    return { read: open, open };
  }
}
