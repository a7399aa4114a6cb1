import type { Engine } from "../engine/index.ts";
import type { SimWorld } from "../engines/sim/index.ts";
import { StowageError } from "../errors/index.ts";
import type { Host } from "../host/index.ts";
import { type EngineConfig, type HostSpec, hostDirectories } from "../model/index.ts";
import type { Connector, HostAccess } from "../reconcile/index.ts";

type ConfigOf<K extends EngineConfig["kind"]> = Extract<EngineConfig, { kind: K }>;

/** The way to hosts: loads the engine of a kind when the first host of it is reached. */
export function createConnector(): Connector {
  let world: Promise<SimWorld> | undefined;
  const open = async (name: string, spec: HostSpec): Promise<HostAccess> => {
    const { engine } = spec;
    switch (engine.kind) {
      case "sim":
        world ??= import("../engines/sim/index.ts").then(({ SimWorld: World }) => new World());
        return await openSimulated(engine, name, await world);
      case "containerd":
        return await openContainerdHost(engine, name, spec);
      case "podman":
        return await openPodmanHost(engine, name, spec);
      default:
        return engine satisfies never;
    }
  };
  return { read: open, open };
}

async function openSimulated(
  config: ConfigOf<"sim">,
  name: string,
  world: SimWorld,
): Promise<HostAccess> {
  const { openSim } = await import("../engines/sim/index.ts");
  const { host, engine } = openSim(config, name, { world });
  return access(host, engine);
}

async function openContainerdHost(
  config: ConfigOf<"containerd">,
  name: string,
  spec: HostSpec,
): Promise<HostAccess> {
  const host = await openThisMachine(name, spec);
  const { openContainerd } = await import("../engines/containerd/index.ts");
  return access(host, await openContainerd(config, host, hostDirectories(spec)));
}

async function openPodmanHost(
  config: ConfigOf<"podman">,
  name: string,
  spec: HostSpec,
): Promise<HostAccess> {
  const host = await openThisMachine(name, spec);
  const { openPodman } = await import("../engines/podman/index.ts");
  return access(host, await openPodman(config, host, hostDirectories(spec)));
}

/** The machine that this process runs on, where a declaration means it and it can be a host. */
async function openThisMachine(name: string, spec: HostSpec): Promise<Host> {
  if (spec.address !== "local") {
    throw new StowageError(
      `Cannot reach host "${name}": ${spec.address} is another machine, and this version reaches only the address "local"; run stowage on that machine`,
      { code: "unimplemented", context: { host: name } },
    );
  }
  if (process.platform !== "linux") {
    throw new StowageError(
      `Cannot reach host "${name}": this machine is not Linux, so it cannot be a host; see stowage doctor`,
      { code: "unimplemented", context: { host: name } },
    );
  }
  const { openLocalHost } = await import("../host/index.ts");
  return openLocalHost();
}

function access(host: Host, engine: Engine): HostAccess {
  return {
    host,
    engine,
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}
