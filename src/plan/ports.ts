import type { Diagnostic } from "../errors/index.ts";
import { type ObservedPod, type PodSpec, portKey } from "../model/index.ts";
import { mayRun, type PodContext, podsOf, recorded } from "./pod-context.ts";

/** Who holds which host port among the pods of one host, by what was last applied to those that run. */
export function portHolders(contexts: readonly PodContext[]): ReadonlyMap<string, PodContext> {
  const holders = new Map<string, PodContext>();
  for (const context of contexts) {
    for (const generation of podsOf(context).filter(mayRun)) {
      for (const port of appliedSpec(context, generation)?.ports ?? [])
        holders.set(portKey(port), context);
    }
  }
  return holders;
}

/** Ports that pods want and somebody who is not of the fleet listens on. */
export function portClashes(contexts: readonly PodContext[]): readonly Diagnostic[] {
  const holders = portHolders(contexts);
  return contexts.flatMap((context) =>
    (context.desired?.spec.ports ?? []).flatMap((port): Diagnostic[] => {
      const key = portKey(port);
      const taken = context.observation.taken.find(
        (each) => portKey({ host: each.port, protocol: each.protocol }) === key,
      );
      if (taken === undefined || holders.has(key)) return [];
      return [
        {
          severity: "error",
          path: `hosts.${context.host}.pods.${context.pod}.ports[${key}]`,
          summary: `port ${key} of the host is taken by ${taken.holder ?? "a process that cannot be told"}`,
          detail: "end that process, or choose another port",
        },
      ];
    }),
  );
}

function appliedSpec(context: PodContext, generation: ObservedPod): PodSpec | undefined {
  const entry = recorded(context, generation.generation);
  // without a record its ports are taken to be what is declared: it runs, so they are its own
  return entry?.spec ?? context.desired?.spec;
}
