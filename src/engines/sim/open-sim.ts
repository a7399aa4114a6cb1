import type { Engine } from "../../engine/index.ts";
import type { Host } from "../../host/index.ts";
import type { EngineConfig } from "../../model/index.ts";
import { EngineCalls } from "./engine-calls.ts";
import type { CallHook, SimFault } from "./faults.ts";
import { SimCalls } from "./sim-calls.ts";
import { SimEngine } from "./sim-engine.ts";
import { SimHost } from "./sim-host.ts";
import type { SimMachine } from "./sim-machine.ts";
import { SimWorld } from "./sim-world.ts";

type SimConfig = Extract<EngineConfig, { kind: "sim" }>;

/** How {@link openSim} opens a simulated host. */
export interface OpenSimOptions {
  /** Where machines are found by name; without one, a host in memory is known to this handle alone. */
  readonly world?: SimWorld;
  /** The machine itself, in place of one found by name. */
  readonly machine?: SimMachine;
  readonly faults?: readonly SimFault[];
  readonly onCall?: CallHook;
}

/** A simulated host and its engine; to the faults and the counts both are one handle. */
export interface OpenedSim {
  readonly host: Host;
  readonly engine: Engine;
  readonly machine: SimMachine;
  /** Another engine of the same machine. */
  readonly engineAt: (config: SimConfig) => Engine;
}

/** Opens a simulated host by its name in the manifest. Nothing is made until something is changed. */
export function openSim(config: SimConfig, name: string, options: OpenSimOptions = {}): OpenedSim {
  const { file, latencyMs = 0 } = config;
  const machine = options.machine ?? (options.world ?? new SimWorld()).machine(name, file);
  const calls = new SimCalls(machine, {
    latencyMs,
    faults: options.faults ?? [],
    onCall: options.onCall,
  });
  const engineAt = ({ store, maxPods, runOnce = false }: SimConfig): Engine =>
    new SimEngine(new EngineCalls(calls, store), { maxPods, runOnce });
  return { host: new SimHost(name, calls), engine: engineAt(config), machine, engineAt };
}
