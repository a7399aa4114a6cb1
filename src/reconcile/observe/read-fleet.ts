import type { Connector, HostReading } from "../connector.ts";
import { type FleetObservation, type ObserveFleetRequest, observeFleet } from "./observe-fleet.ts";

/** What to look at, with a connector that can only read. */
export interface ReadFleetRequest extends Omit<ObserveFleetRequest, "reach" | "leave"> {
  readonly connector: Pick<Connector, "read">;
}

/**
 * Looks at the hosts of a fleet without their locks. The connection to a host is closed as soon as nothing more is
 * asked of it: thousands at once are more than some machines have room for.
 */
export async function readFleet(request: ReadFleetRequest): Promise<FleetObservation> {
  const { connector, signal } = request;
  const readings = new Map<string, HostReading>();
  const closing: Promise<void>[] = [];
  const leave = (name: string): void => {
    const reading = readings.get(name);
    readings.delete(name);
    if (reading !== undefined) closing.push(close(reading));
  };
  try {
    return await observeFleet({
      ...request,
      reach: async (name, spec) => {
        const reading = await connector.read(name, spec, signal);
        readings.set(name, reading);
        return reading;
      },
      leave,
    });
  } finally {
    for (const name of [...readings.keys()]) leave(name);
    await Promise.all(closing);
  }
}

/** Closes the way to a host; one that cannot be closed is of no use any more either. */
async function close(reading: HostReading): Promise<void> {
  try {
    await reading[Symbol.asyncDispose]();
  } catch {
    // nothing was to be had of it but an end
  }
}
