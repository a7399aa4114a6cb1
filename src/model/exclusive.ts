import { isSameJson } from "./canonical.ts";
import { portKey } from "./network.ts";
import type { PodSpec } from "./pod.ts";

const PORT = "host port ";

/**
 * What a pod holds that no second process may have at the same time, for people; empty when it
 * holds nothing, so that its replacement may start first.
 */
export function exclusiveHoldings(spec: PodSpec): readonly string[] {
  const holdings: string[] = [];
  for (const port of spec.ports ?? []) holdings.push(`${PORT}${portKey(port)}`);
  if (spec.network?.mode === "host") holdings.push("the host's network");
  for (const name of writableVolumes(spec)) holdings.push(`writable volume ${name}`);
  for (const container of Object.values(spec.containers)) {
    for (const device of container.devices ?? []) holdings.push(`device ${device.path}`);
  }
  return holdings;
}

/**
 * Whether the ports of a pod lead from one generation to the next in one instant, both being there: it was
 * asked for, and both are in the same network of the fleet.
 */
export function handsPortsOver(before: PodSpec | undefined, after: PodSpec): boolean {
  const isAsked = after.replacement === "start-first" || after.rollout?.maxSurge !== undefined;
  if (!isAsked || before === undefined || (after.ports ?? []).length === 0) return false;
  return after.network?.mode === "bridge" && isSameJson(before.network, after.network);
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
  const isHandedOver = handsPortsOver(before, after);
  const holdings = [
    ...exclusiveHoldings(after),
    ...(before === undefined ? [] : exclusiveHoldings(before)),
  ].filter((holding) => !(isHandedOver && holding.startsWith(PORT)));
  const forced = holdings.some((holding) => !holding.startsWith("writable volume"));
  return forced || (holdings.length > 0 && after.replacement !== "start-first");
}
