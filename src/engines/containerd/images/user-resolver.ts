import {
  type Accounts,
  type GroupEntry,
  type PasswdEntry,
  parseGroup,
  parseId,
  parsePasswd,
  type ResolvedUser,
  resolveAccount,
} from "../../../image/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { findInLayers } from "./find-in-layers.ts";
import type { LayerFiles } from "./layer-files.ts";
import { layerFolders } from "./layer-folders.ts";

/** Bytes that an image's /etc/passwd or /etc/group may have. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Where a resolver looks. */
export interface UserResolverOptions {
  readonly files: LayerFiles;
  readonly snapshotter: string;
}

/** Resolves users by what images say; reads each image once. Writes to the engine: never for a plan. */
export class UserResolver {
  readonly #client: ContainerdClient;
  readonly #options: UserResolverOptions;
  readonly #accounts = new Map<string, Promise<Accounts>>();

  constructor(client: ContainerdClient, options: UserResolverOptions) {
    this.#client = client;
    this.#options = options;
  }

  /**
   * Who a process of the image runs as.
   *
   * @param chainId of the image's topmost layer; undefined for an image without layers
   * @param user `user`, `uid`, `user:group` or `uid:gid`; empty is root
   * @param additionalGroups names or ids
   * @throws StowageError `invalid_argument` when a name is not in the image, `not_found` when it is not unpacked
   */
  async resolve(
    chainId: string | undefined,
    user: string,
    additionalGroups: readonly string[] = [],
    signal?: AbortSignal,
  ): Promise<ResolvedUser> {
    const { passwd, groups } = needsFiles(user, additionalGroups)
      ? await this.#read(chainId, signal)
      : { passwd: [], groups: [] };
    return resolveAccount({ passwd, groups }, user, additionalGroups);
  }

  #read(chainId: string | undefined, signal: AbortSignal | undefined): Promise<Accounts> {
    if (chainId === undefined) return Promise.resolve({ passwd: [], groups: [] });
    const known = this.#accounts.get(chainId);
    if (known !== undefined) return known;
    const reading = this.#readAccounts(chainId, signal);
    this.#accounts.set(chainId, reading);
    // a failure may be the caller's abort, and says nothing about the next try
    reading.catch(() => this.#accounts.delete(chainId));
    return reading;
  }

  async #readAccounts(chainId: string, signal: AbortSignal | undefined): Promise<Accounts> {
    const { files, snapshotter } = this.#options;
    const layers = await layerFolders(this.#client, snapshotter, chainId, signal);
    const read = async (path: string): Promise<string> => {
      const found = await findInLayers(files, layers, path);
      signal?.throwIfAborted();
      return found === undefined ? "" : files.read(found, MAX_FILE_BYTES);
    };
    const passwd: readonly PasswdEntry[] = parsePasswd(await read("/etc/passwd"));
    const groups: readonly GroupEntry[] = parseGroup(await read("/etc/group"));
    return { passwd, groups };
  }
}

/** Two numbers and nothing else need no look into the image. */
function needsFiles(user: string, additionalGroups: readonly string[]): boolean {
  const [uid, gid, ...rest] = user.split(":");
  const numbers = parseId(uid) !== undefined && parseId(gid) !== undefined && rest.length === 0;
  return !numbers || additionalGroups.some((group) => parseId(group) === undefined);
}
