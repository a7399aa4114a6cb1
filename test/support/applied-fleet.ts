import { parseRecord } from "../../src/model/index.ts";
import type { SimFleet } from "./sim-fleet.ts";

/** Record of the pod `web` of the fleet that {@link SimFleet} declares. */
export const RECORD = "/var/lib/stowage/acme/shop/web.json";
/** Its roster. */
export const ROSTER = "/var/lib/stowage/acme/shop/.roster.json";

/** Text of a file of a host. */
export function fileOf(fleet: SimFleet, path: string, host = "alpha"): string | undefined {
  return fleet.machine(host).read((state) => state.files[path]?.text);
}

/** What a record says. */
export function recordOf(fleet: SimFleet, path = RECORD) {
  const reading = parseRecord(fileOf(fleet, path) ?? "");
  if (reading.kind !== "record") throw new Error(JSON.stringify(reading));
  return reading.record;
}

/** The pods that a host has, as they are at this moment. */
export function podsOf(fleet: SimFleet, host = "alpha") {
  return fleet
    .machine(host)
    .read((state) => Object.values(state.pods).map((pod) => structuredClone(pod)));
}
