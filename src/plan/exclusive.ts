import { type PodSpec, portKey } from "../model/index.ts";

/**
 * What a pod holds that no second process may have at the same time, for people; empty when it
 * holds nothing, so that its replacement may start first.
 */
export function exclusiveHoldings(spec: PodSpec): readonly string[] {
  const holdings: string[] = [];
  for (const port of spec.ports ?? []) holdings.push(`host port ${portKey(port)}`);
  if (spec.network?.mode === "host") holdings.push("the host's network");
  for (const name of writableVolumes(spec)) holdings.push(`writable volume ${name}`);
  for (const container of Object.values(spec.containers)) {
    for (const device of container.devices ?? []) holdings.push(`device ${device.path}`);
  }
  return holdings;
}

/** Names of the named and bind volumes that a container of the pod can write to. */
export function writableVolumes(spec: PodSpec): readonly string[] {
  const mounts = Object.values(spec.containers).flatMap((container) => container.mounts ?? []);
  const written = mounts.filter((mount) => mount.readOnly !== true).map((mount) => mount.volume);
  return [...new Set(written)].filter((name) => {
    const kind = spec.volumes?.[name]?.kind;
    return kind === "named" || kind === "bind";
  });
}

/** Whether a replacement stops the old generation before it starts the new one. */
export function stopsFirst(before: PodSpec | undefined, after: PodSpec): boolean {
  if (after.replacement === "stop-first") return true;
  const holdings = [
    ...exclusiveHoldings(after),
    ...(before === undefined ? [] : exclusiveHoldings(before)),
  ];
  const forced = holdings.some((holding) => !holding.startsWith("writable volume"));
  return forced || (holdings.length > 0 && after.replacement !== "start-first");
}
