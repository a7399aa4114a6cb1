import type { Diagnostic } from "../errors/index.ts";
import { portKey } from "../model/index.ts";
import type { PodContext } from "./pod-context.ts";

/** Pods that cannot be attached to their declared CNI network. */
export function cniProblems(contexts: readonly PodContext[]): readonly Diagnostic[] {
  return contexts.flatMap(({ host, pod, desired, observation }): Diagnostic[] => {
    const { cni } = desired?.spec.network ?? {};
    if (cni === undefined) return [];
    const wanted = JSON.stringify(cni);
    const seen = observation.engine.network?.cni?.find(
      (each) => JSON.stringify(each.wanted) === wanted,
    );
    const path = `hosts.${host}.pods.${pod}`;
    if (seen?.problem !== undefined)
      return [
        {
          severity: "error",
          path: `${path}.network.cni`,
          summary: seen.problem,
          detail: "the host's administrator describes its CNI networks",
        },
      ];
    if (seen?.publishes !== false) return [];
    return (desired?.spec.ports ?? []).map((port) => ({
      severity: "error",
      path: `${path}.ports[${portKey(port)}]`,
      summary: `no plugin of CNI network "${cni.name}" maps host ports`,
      detail: "add the plugin portmap with the capability portMappings to it, or remove the port",
    }));
  });
}
