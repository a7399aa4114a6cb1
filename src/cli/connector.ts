import type { Engine } from "../engine/index.ts";
import type { SimWorld } from "../engines/sim/index.ts";
import { StowageError } from "../errors/index.ts";
import type { BootPlaces, Host, SharedLinks } from "../host/index.ts";
import {
  type EngineConfig,
  engineIdentity,
  type HostDirectories,
  type HostSpec,
  hostDirectories,
} from "../model/index.ts";
import { withNetworks } from "../network/index.ts";
import type { Connector, HostAccess } from "../reconcile/index.ts";
import { engineEntry } from "./engine-kinds.ts";

type ConfigOf<K extends EngineConfig["kind"]> = Extract<EngineConfig, { kind: K }>;

/** What hosts are reached with. */
interface ConnectorOptions {
  /** Where a host of this machine keeps what is to start at boot; absent: nothing is to. */
  readonly boot?: BootPlaces | undefined;
  /** File of ssh's configuration in place of the user's own. */
  readonly sshConfig?: string | undefined;
}

/** How connections over ssh are used. */
interface SshUse {
  readonly links: SharedLinks;
  readonly waits: boolean;
}

/**
 * The way to hosts: loads the engine of a kind when the first host of it is reached. A host that is open already is
 * reached over the same connection.
 */
export function createConnector({ boot, sshConfig }: ConnectorOptions = {}): Connector {
  let world: Promise<SimWorld> | undefined;
  const links: SharedLinks = new Map();
  const reach = async (name: string, spec: HostSpec, waits: boolean): Promise<HostAccess> => {
    const { engine } = spec;
    if (engine.kind !== "sim")
      return await openReal(engine, name, spec, { boot, sshConfig, links, waits });
    world ??= import("../engines/sim/index.ts").then(({ SimWorld: World }) => new World());
    return await openSimulated(engine, name, await world);
  };
  return {
    // who only looks is told at once that a host is away: other hosts wait for that look
    read: async (name, spec) => await reach(name, spec, false),
    open: async (name, spec) => await reach(name, spec, true),
  };
}

async function openSimulated(
  config: ConfigOf<"sim">,
  name: string,
  world: SimWorld,
): Promise<HostAccess> {
  const { openSim } = await import("../engines/sim/index.ts");
  const { host, engineAt } = openSim(config, name, { world });
  return await access(host, config, async (other) => {
    if (other.kind !== "sim") throw noSuchEngine(name, other);
    return engineAt(other);
  });
}

async function openReal(
  config: EngineConfig,
  name: string,
  spec: HostSpec,
  { boot, sshConfig, ...ssh }: ConnectorOptions & SshUse,
): Promise<HostAccess> {
  const isLocal = spec.address === "local";
  if (isLocal) checkLinux(name);
  const { openLocalHost, openSshHost } = await import("../host/index.ts");
  // a host that is reached from elsewhere has no Stowage of its own to start at boot
  const host = isLocal
    ? openLocalHost(boot === undefined ? {} : { boot })
    : await openSshHost(spec.address, {
        ...ssh,
        ...(sshConfig === undefined ? {} : { config: sshConfig }),
      });
  const directories = hostDirectories(spec);
  return await access(host, config, (other) => openEngine(other, name, host, directories));
}

/** Loads the adapter of an engine that runs on the host itself. */
async function openEngine(
  config: EngineConfig,
  name: string,
  host: Host,
  directories: HostDirectories,
): Promise<Engine> {
  const { open } = engineEntry(config.kind) as EngineOpener;
  if (open === undefined) throw noSuchEngine(name, config);
  const engine = await open(config, host, directories);
  return withNetworks(engine, { host, ...directories, engine: engineIdentity(config) });
}

/** Of any kind: a configuration is given to the entry of its own. */
interface EngineOpener {
  readonly open?: (config: EngineConfig, host: Host, at: HostDirectories) => Promise<Engine>;
}

function checkLinux(name: string): void {
  if (process.platform !== "linux") {
    throw new StowageError(
      `Cannot reach host "${name}": this machine is not Linux, so it cannot be a host; see stowage doctor`,
      { code: "unimplemented", context: { host: name } },
    );
  }
}

/** A host with its engines; each is opened when it is first asked for, and once. */
async function access(
  host: Host,
  config: EngineConfig,
  openAt: (config: EngineConfig) => Promise<Engine>,
): Promise<HostAccess> {
  const opened = new Map<string, Promise<Engine>>();
  const engineAt = (wanted: EngineConfig): Promise<Engine> => {
    const id = engineIdentity(wanted);
    const known = opened.get(id);
    if (known !== undefined) return known;
    const engine = openAt(wanted);
    opened.set(id, engine);
    return engine;
  };
  return {
    host,
    engine: await engineAt(config),
    engineAt,
    [Symbol.asyncDispose]: async () => {
      const ended = await Promise.allSettled(opened.values());
      for (const each of ended) {
        if (each.status === "fulfilled") await each.value[Symbol.asyncDispose]();
      }
      await host[Symbol.asyncDispose]();
    },
  };
}

function noSuchEngine(name: string, { kind }: EngineConfig): StowageError {
  const what =
    kind === "sim" ? "no simulated engine on a real host" : `no ${kind} on a simulated host`;
  return new StowageError(`Cannot open engine ${kind} of host "${name}": there is ${what}`, {
    code: "not_found",
    context: { host: name },
  });
}
