import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeImage } from "../../scripts/lib/image-maker/build-image.ts";
import type { CallHook } from "../../src/engines/sim/index.ts";
import {
  type OpenedSim,
  openSim,
  type SimFault,
  type SimMachine,
  SimWorld,
} from "../../src/engines/sim/index.ts";
import { FleetManifest, type PodSpec } from "../../src/model/index.ts";
import {
  type ApplyEvent,
  type ApplyFleetRequest,
  type ApplyReport,
  applyFleet,
  type Connector,
  type HostAccess,
  planFleet,
} from "../../src/reconcile/index.ts";

/** Reference of the image that {@link SimFleet} has on disk. */
export const IMAGE = "example.test/app:1";
/** Another one. */
export const OTHER_IMAGE = "example.test/app:2";

/** A host's further engines, all of them simulated. */
export function simEngineAt(engineAt: OpenedSim["engineAt"]): HostAccess["engineAt"] {
  return async (config) => {
    if (config.kind !== "sim") throw new Error("only simulated engines are here");
    return engineAt(config);
  };
}

/** A pod that runs until it is stopped, unless told otherwise. */
export function podOf(
  change: Partial<PodSpec["containers"][string]> = {},
  pod: Partial<PodSpec> = {},
) {
  return {
    containers: { main: { image: IMAGE, command: ["sleep", "1000000"], ...change } },
    ...pod,
  };
}

/** Simulated hosts with a fleet on them, and a folder of images; dispose it to remove that. */
export class SimFleet implements Disposable {
  readonly world: SimWorld;
  readonly dir = mkdtempSync(join(tmpdir(), "stw-sim-fleet-"));
  readonly events: ApplyEvent[] = [];
  readonly reached: string[] = [];
  /** Hosts that nobody reaches. */
  readonly down = new Map<string, Error>();
  /** Engines beside the declared one that do not answer, by their store; the first one is `sim`. */
  readonly silent = new Map<string, Error>();
  faults: readonly SimFault[] = [];
  onCall: CallHook | undefined;

  constructor(clock: "real" | "virtual" = "real") {
    this.world = new SimWorld({ clock });
    for (const reference of [IMAGE, OTHER_IMAGE]) {
      makeImage({
        out: this.layout,
        reference,
        files: new Map([["/etc/app", { content: reference }]]),
      });
    }
  }

  get layout(): string {
    return join(this.dir, "images");
  }

  machine(host = "alpha"): SimMachine {
    return this.world.machine(host);
  }

  get connector(): Connector {
    const open = async (name: string, { engine }: FleetManifest["hosts"][string]) => {
      this.reached.push(name);
      const error = this.down.get(name);
      if (error !== undefined) throw error;
      if (engine.kind !== "sim") throw new Error("only sim hosts are here");
      const { world, faults, onCall } = this;
      const opened = openSim(engine, name, {
        world,
        faults,
        ...(onCall === undefined ? {} : { onCall }),
      });
      const reach = simEngineAt(opened.engineAt);
      const engineAt: HostAccess["engineAt"] = async (config) => {
        const silence = this.silent.get(config.kind === "sim" ? (config.store ?? "sim") : "");
        if (silence !== undefined) throw silence;
        return await reach(config);
      };
      return { ...opened, engineAt, [Symbol.asyncDispose]: async () => {} };
    };
    return { read: open, open };
  }

  /** A manifest of these pods by host. */
  manifest(
    hosts: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
    more: Readonly<Record<string, unknown>> = {},
  ): FleetManifest {
    return FleetManifest.parse({
      version: "stowage/v1",
      name: "shop",
      id: "acme",
      images: { [IMAGE]: { layout: "images" }, [OTHER_IMAGE]: { layout: "images" } },
      hosts: Object.fromEntries(
        Object.entries(hosts).map(([name, pods]) => [
          name,
          { address: `ssh://${name}.test`, engine: { kind: "sim" }, pods },
        ]),
      ),
      ...more,
    });
  }

  async plan(manifest: FleetManifest, more: Partial<Parameters<typeof planFleet>[0]> = {}) {
    return await planFleet({ ...this.#common(manifest), ...more });
  }

  async apply(
    manifest: FleetManifest,
    more: Partial<ApplyFleetRequest> = {},
  ): Promise<ApplyReport> {
    return await applyFleet({ ...this.applyRequest(manifest), ...more });
  }

  applyRequest(manifest: FleetManifest): ApplyFleetRequest {
    return {
      ...this.#common(manifest),
      confirm: async () => true,
      appliedBy: "tester@here",
      settleMs: 0,
      lockTimeoutMs: 0,
      onEvent: (event) => this.events.push(event),
    };
  }

  /** What happened, as `id step`. */
  steps(type: ApplyEvent["type"] = "step-done"): readonly string[] {
    return this.events.flatMap((event) =>
      event.type === type && "step" in event ? [`${event.id} ${event.step.kind}`] : [],
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  #common(manifest: FleetManifest) {
    return {
      manifest,
      manifestDir: this.dir,
      connector: this.connector,
      environment: {},
      options: {},
    };
  }
}
