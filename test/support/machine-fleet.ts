import { engineEntry } from "../../src/cli/engine-kinds.ts";
import type { Engine } from "../../src/engine/index.ts";
import { type Host, openLocalHost } from "../../src/host/index.ts";
import { type EngineConfig, engineIdentity, hostDirectories } from "../../src/model/index.ts";
import { withNetworks } from "../../src/network/index.ts";
import type { Connector } from "../../src/reconcile/index.ts";
import type { EngineLab, Traces } from "./engines/engine-lab.ts";
import { NetworkMachine } from "./network-machine.ts";
import { type LabPlaces, RealFleet } from "./real-fleet.ts";

/** A fleet on a host whose network is a namespace of its own. */
export class MachineFleet<Lab extends EngineLab = EngineLab> extends RealFleet<Lab> {
  readonly machine = new NetworkMachine();

  constructor(open: (places: LabPlaces) => Lab) {
    super((places) => [open(places)]);
    this.connect = () => this.#connector();
  }

  /** The host as Stowage reaches it. */
  protected reached(host: Host): Host {
    return host;
  }

  /** All that is there of it, in the machine's network too; which address a pod has is no matter. */
  override async traces(): Promise<Traces> {
    const network = this.machine
      .traces()
      .map((line) => line.replaceAll(/[a-z2-7]{8,}|\b10(?:\.\d+){3}\b/g, "*"));
    return { ...(await super.traces()), network: network.sort() };
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.machine.close();
  }

  #connector(): Connector {
    const open: Connector["open"] = async (_, spec) => {
      const directories = hostDirectories(spec);
      const host = this.reached(this.machine.host(openLocalHost()));
      const engine = withNetworks(await openEngine(spec.engine, host, directories), {
        host,
        ...directories,
        engine: engineIdentity(spec.engine),
      });
      return {
        host,
        engine,
        engineAt: async () => engine,
        [Symbol.asyncDispose]: async () => await engine[Symbol.asyncDispose](),
      };
    };
    return { read: open, open };
  }
}

type Opener = (
  config: EngineConfig,
  host: Host,
  at: ReturnType<typeof hostDirectories>,
) => Promise<Engine>;

async function openEngine(...where: Parameters<Opener>): Promise<Engine> {
  const { open } = engineEntry(where[0].kind) as { readonly open?: Opener };
  if (open === undefined)
    throw new Error("an engine that brings its own host is not for a machine");
  return await open(...where);
}
