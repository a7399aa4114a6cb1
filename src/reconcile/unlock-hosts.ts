import { StowageError } from "../errors/index.ts";
import { mapLimited } from "../internal/index.ts";
import { type HostSpec, hostDirectories, hostLayout } from "../model/index.ts";
import type { Connector } from "./connector.ts";
import { breakHostLock } from "./lock/host-lock.ts";
import { DEFAULT_PARALLELISM } from "./observe/observe-fleet.ts";

/** Whose locks to break. */
export interface UnlockHostsRequest {
  readonly hosts: Readonly<Record<string, HostSpec>>;
  readonly connector: Connector;
  /** Who breaks them, for people. */
  readonly owner: string;
  readonly signal?: AbortSignal | undefined;
}

/** What came of breaking one host's lock. */
export interface UnlockOutcome {
  readonly host: string;
  /** Who held it; absent when nobody did. */
  readonly holder?: string;
  /** Why it could not be broken. */
  readonly error?: string;
}

/** Breaks the locks of hosts; whoever holds one writes nothing more there. */
export async function unlockHosts(request: UnlockHostsRequest): Promise<readonly UnlockOutcome[]> {
  const { connector, owner, signal } = request;
  return await mapLimited(
    Object.entries(request.hosts),
    DEFAULT_PARALLELISM,
    async ([name, spec]): Promise<UnlockOutcome> => {
      try {
        await using access = await connector.open(name, spec, signal);
        const { lockDir } = hostLayout(hostDirectories(spec), "", "");
        const holder = await breakHostLock({ host: access.host, lockDir, owner, signal });
        return { host: name, ...(holder === undefined ? {} : { holder }) };
      } catch (error) {
        signal?.throwIfAborted();
        if (!StowageError.is(error)) throw error;
        return { host: name, error: error.message };
      }
    },
  );
}
