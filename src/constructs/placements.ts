import type { IConstruct } from "constructs";
import { isUnresolved } from "./cdk.ts";
import type { Draft } from "./draft.ts";
import type { Host } from "./host.ts";
import { Pod } from "./pod.ts";
import type { PodBase } from "./pod-base.ts";
import { requireScope } from "./scopes.ts";
import { Service } from "./service.ts";
import { spread } from "./spread.ts";

/** One pod on one host. */
export interface Placement {
  readonly host: Host;
  readonly name: string;
  readonly source: PodBase;
}

/** Where every pod of a fleet goes; a service that finds no host is reported. */
export function placePods(
  constructs: readonly IConstruct[],
  hosts: readonly Host[],
  draft: Draft,
): readonly Placement[] {
  return constructs.flatMap((source): readonly Placement[] => {
    if (source instanceof Pod) {
      return [{ host: requireScope(source, "host") as Host, name: source.podName, source }];
    }
    return source instanceof Service ? placeService(source, hosts, draft) : [];
  });
}

function placeService(
  service: Service,
  hosts: readonly Host[],
  draft: Draft,
): readonly Placement[] {
  const place = servicePath(service);
  draft.claim(place, service, `the service "${service.podName}"`);
  const selection = service.on.select(hosts);
  if (selection.problem !== undefined) {
    const known = hosts.map(describeHost).join(", ");
    const remedy = known === "" ? "declare its hosts" : `the fleet's hosts are ${known}`;
    draft.report(`${place}.on`, selection.problem, remedy);
  }
  const chosen = hosts.filter(({ hostName }) => selection.hosts.includes(hostName));
  const counts = countPods(service, chosen, draft);
  return chosen.flatMap((host) =>
    Array.from({ length: counts.get(host.hostName) ?? 0 }, (_, index) => ({
      host,
      name: index === 0 ? service.podName : `${service.podName}-${index + 1}`,
      source: service,
    })),
  );
}

function countPods(
  service: Service,
  hosts: readonly Host[],
  draft: Draft,
): ReadonlyMap<string, number> {
  const { podName, replicas } = service;
  const names = hosts.map(({ hostName }) => hostName);
  if (replicas === undefined) return new Map(names.map((name) => [name, 1]));
  if (isUnresolved(replicas)) {
    draft.report(
      `${servicePath(service)}.replicas`,
      "only Terraform knows its value",
      "write a number",
    );
    return new Map();
  }
  if (Number.isSafeInteger(replicas) && replicas > 0) return spread(podName, names, replicas);
  draft.report(
    `${servicePath(service)}.replicas`,
    `must be a whole number above 0, not ${replicas}`,
    "remove the service to have no pods of it",
  );
  return new Map();
}

/** A service has no place in a manifest: only its pods do. Its own mistakes are kept here. */
function servicePath(service: Service): string {
  return `services.${service.podName}`;
}

function describeHost({ hostName, labels }: Host): string {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return words.length === 0 ? hostName : `${hostName} (${words.join(", ")})`;
}
