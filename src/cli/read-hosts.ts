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
  context: CommandContext,
  parallelism: number | undefined,
  read: (reading: HostReading, host: string, spec: HostSpec) => Promise<T>,
): Promise<readonly HostAnswer<T>[]> {
  return await askHosts(hosts, context, { parallelism, reach: context.connector.read, ask: read });
}

/** Like {@link readHosts}, by whatever way leads to a host. */
export async function askHosts<A extends AsyncDisposable, T extends object>(
  hosts: readonly (readonly [string, HostSpec])[],
  { drain: signal }: CommandContext,
  how: {
    readonly parallelism: number | undefined;
    readonly reach: (name: string, spec: HostSpec, signal: AbortSignal) => Promise<A>;
    readonly ask: (access: A, host: string, spec: HostSpec) => Promise<T>;
  },
): Promise<readonly HostAnswer<T>[]> {
  const { parallelism, reach, ask } = how;
  return await mapLimited(
    hosts,
    parallelism ?? PARALLELISM,
    async ([host, spec]): Promise<HostAnswer<T>> => {
      try {
        await using access = await reach(host, spec, signal);
        return { host, ...(await ask(access, host, spec)) };
      } catch (error) {
        signal.throwIfAborted();
        if (!StowageError.is(error)) throw error;
        return { host, problem: error };
      }
    },
  );
}
