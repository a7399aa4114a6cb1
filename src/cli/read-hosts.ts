import { StowageError } from "../errors/index.ts";
import { mapLimited } from "../internal/index.ts";
import type { HostSpec } from "../model/index.ts";
import type { HostReading } from "../reconcile/index.ts";
import type { CommandContext } from "./context.ts";

const PARALLELISM = 16;

/** What was read of a host, or why it could not be. */
export type HostAnswer<T> =
  | ({ readonly host: string } & T)
  | { readonly host: string; readonly problem: StowageError };

/** Reads something of hosts, many at once; one that cannot be asked says why. */
export async function readHosts<T extends object>(
  hosts: readonly (readonly [string, HostSpec])[],
  { connector, drain: signal }: CommandContext,
  parallelism: number | undefined,
  read: (reading: HostReading, host: string, spec: HostSpec) => Promise<T>,
): Promise<readonly HostAnswer<T>[]> {
  return await mapLimited(
    hosts,
    parallelism ?? PARALLELISM,
    async ([host, spec]): Promise<HostAnswer<T>> => {
      try {
        await using reading = await connector.read(host, spec, signal);
        return { host, ...(await read(reading, host, spec)) };
      } catch (error) {
        signal.throwIfAborted();
        if (!StowageError.is(error)) throw error;
        return { host, problem: error };
      }
    },
  );
}
