import type { ListeningPort, PortHolder } from "../../host/index.ts";
import { portKey } from "../../model/index.ts";
import { podsOfMachine } from "./engine-view.ts";
import type { MachineState, SimContainer, SimPod } from "./machine-state.ts";
import { processArgv } from "./process-argv.ts";

const INODES_PER_PORT = 2;

/** Everything that is listened on in the host's network, by `80/tcp`. */
export function listeningOn(state: MachineState): ReadonlyMap<string, PortHolder> {
  const found = new Map<string, PortHolder>();
  for (const { port, protocol, pid, name } of state.listeners) {
    found.set(portKey({ host: port, protocol }), { pid, name });
  }
  for (const pod of podsOfMachine(state)) {
    if (pod.spec.network?.mode !== "host") continue;
    for (const container of Object.values(pod.containers)) {
      const { pid = 0 } = container;
      const name = processArgv(container)[0] ?? "";
      const holder = { pid, name: name.slice(name.lastIndexOf("/") + 1) };
      for (const key of runningPorts(container)) found.set(key, holder);
    }
  }
  return found;
}

/** Whether a container of the pod listens on a port of the pod's own network. */
export function listensInPod(pod: SimPod, key: string): boolean {
  return Object.values(pod.containers).some((container) => runningPorts(container).includes(key));
}

/** Ports of its network that one of a pod's containers takes when it starts, where that network leads out. */
export function declaredPorts(pod: SimPod, name: string): readonly string[] {
  if (pod.spec.network?.mode === "bridge") return portsInside(pod, name);
  if (pod.spec.network?.mode !== "host") return [];
  const names = Object.keys(pod.spec.containers).sort();
  const first = names[0];
  const ports = pod.spec.ports ?? [];
  return ports
    .filter(({ host }) => (names.find((each) => probesPort(pod, each, host)) ?? first) === name)
    .map(portKey);
}

/** In a network of the fleet: what is published, by the first container, and what each is probed on. */
function portsInside({ spec }: SimPod, name: string): readonly string[] {
  const isFirst = Object.keys(spec.containers).sort()[0] === name;
  const health = spec.containers[name]?.health;
  const probed = health === undefined || health.kind === "exec" ? [] : [{ host: health.port }];
  const published = (spec.ports ?? []).map(({ host, container = host, protocol }) => ({
    host: container,
    protocol,
  }));
  return [...new Set([...(isFirst ? published : []), ...probed].map(portKey))];
}

/** What is listened on, as the kernel lists it: each with a socket of its own. */
export function listeningPorts(state: MachineState): readonly ListeningPort[] {
  return [...listeningOn(state).keys()].map((key) => {
    const [port = "", protocol] = key.split("/");
    const udp = protocol === "udp";
    return {
      port: Number(port),
      protocol: udp ? "udp" : "tcp",
      inode: Number(port) * INODES_PER_PORT + Number(udp),
    };
  });
}

function runningPorts({ state, listens }: SimContainer): readonly string[] {
  return state === "running" || state === "paused" ? (listens ?? []) : [];
}

function probesPort(pod: SimPod, name: string, port: number): boolean {
  const health = pod.spec.containers[name]?.health;
  return health !== undefined && health.kind !== "exec" && health.port === port;
}
