import type { Diagnostic } from "../errors/index.ts";
import {
  isNetworked,
  isSamePort,
  type ObservedPod,
  type PodSpec,
  type Port,
  type PortOfHost,
  portKey,
} from "../model/index.ts";
import { seenEngines } from "./observed-pods.ts";
import { mayRun, type PodContext, podsOf, recorded } from "./pod-context.ts";

/** Who holds which host port among the pods of one host. */
export class PortHolders {
  readonly #held: readonly { readonly port: Port; readonly context: PodContext }[];

  /** By what was last applied to those that run; rules lead to one of a network until it is stopped. */
  constructor(contexts: readonly PodContext[]) {
    this.#held = contexts.flatMap((context) =>
      podsOf(context).flatMap((generation) => {
        const { ports = [], network } = specOf(context, generation) ?? {};
        return mayRun(generation) || isNetworked({ network })
          ? ports.map((port) => ({ port, context }))
          : [];
      }),
    );
  }

  /** The pods that hold a port, or one that is the same on some address. */
  of(port: PortOfHost): readonly PodContext[] {
    return this.#held.filter((each) => isSamePort(each.port, port)).map(({ context }) => context);
  }
}

/** Ports that pods want and somebody who is not of the fleet listens on, or leads elsewhere. */
export function portClashes(contexts: readonly PodContext[]): readonly Diagnostic[] {
  const holders = new PortHolders(contexts);
  return contexts.flatMap((context) =>
    (context.desired?.spec.ports ?? []).flatMap((port): Diagnostic[] => {
      if (holders.of(port).length > 0) return [];
      const holder = holderOf(context, port);
      if (holder === undefined) return [];
      return [
        {
          severity: "error",
          path: `hosts.${context.host}.pods.${context.pod}.ports[${portKey(port)}]`,
          summary: `port ${portKey(port)} of the host is taken by ${holder}`,
          detail: "stop that process, or choose another port",
        },
      ];
    }),
  );
}

function holderOf({ observation, declared, pod }: PodContext, port: Port): string | undefined {
  const listening = observation.taken.find(({ port: host, protocol, hostIp }) =>
    isSamePort({ host, protocol, hostIp }, port),
  );
  // what the pod listens on and did not declare it gives up with its replacement
  if (listening?.pod === pod) return undefined;
  if (listening?.pod !== undefined)
    return `${listening.holder}, which is pod ${listening.pod} of the fleet and does not declare it`;
  if (listening !== undefined) return listening.holder ?? "an unknown process";
  // a rule to a pod of the fleet which is not there is left over, and removed
  const own = `${declared.owner}/${declared.fleet}/`;
  const engines = [observation, ...seenEngines(observation)].map(({ engine }) => engine);
  return engines
    .flatMap(({ network }) => network?.forwards ?? [])
    .filter(({ pod }) => pod?.startsWith(own) !== true)
    .find(({ port: host, protocol, hostIp }) => isSamePort({ host, protocol, hostIp }, port))
    ?.holder;
}

function specOf(context: PodContext, generation: ObservedPod): PodSpec | undefined {
  const entry = recorded(context, generation.generation);
  // without a record its ports are taken to be what is declared: it runs, so they are its own
  return entry?.spec ?? context.desired?.spec;
}
