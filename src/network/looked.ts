import type { Host } from "../host/index.ts";
import type { NetworkPlaces } from "./places.ts";

/** Bridges that this process has read: their rules and files are known to be there. */
export const looked = new Set<string>();

/** Lets a network be read again before it is changed: somebody else was at it. */
export function forgetBridge(
  { host, places }: { readonly host: Host; readonly places: NetworkPlaces },
  bridge: string,
): void {
  looked.delete(bridgeKey(host, places, bridge));
}

/** What names a bridge of a host. */
export function bridgeKey(host: Host, places: NetworkPlaces, bridge: string): string {
  return `${host.address} ${places.directory(bridge)}`;
}
