import type { HostReader } from "../../host/index.ts";
import {
  type HostSpec,
  hostDirectories,
  hostLayout,
  Name,
  OwnerId,
  RUN_DIRECTORIES,
  STATE_DIRECTORIES,
  STATE_FILES,
} from "../../model/index.ts";

const STATE_ENTRIES: ReadonlySet<string> = new Set([...STATE_DIRECTORIES, ...STATE_FILES]);
const RUN_ENTRIES: ReadonlySet<string> = new Set(RUN_DIRECTORIES);

/** What lies in the directories of a host. */
export interface OwnFiles {
  /** What is Stowage's, but for fleets' directories and the lock. */
  readonly taken: readonly string[];
  /** Directories of owners of fleets. */
  readonly owners: readonly string[];
  /** Fleets that have a directory, as `owner/fleet`. */
  readonly fleets: readonly string[];
  /** What Stowage did not make. */
  readonly foreign: readonly string[];
}

/** What lies in a host's state and run directory, by whose it is. */
export async function ownFiles(
  host: HostReader,
  spec: HostSpec,
  signal: AbortSignal | undefined,
): Promise<OwnFiles> {
  const { stateDir, runDir } = hostDirectories(spec);
  const options = signal === undefined ? {} : { signal };
  const { entries } = await host.snapshot({ list: [stateDir, runDir] }, options);
  const [state, run] = [entries.get(stateDir) ?? [], entries.get(runDir) ?? []];
  const owners = await ownersIn(host, stateDir, state, options);
  const { lockDir } = hostLayout({ stateDir, runDir }, "", "");
  const isKnown = (name: string): boolean =>
    STATE_ENTRIES.has(name) || owners.some((owner) => owner.name === name);
  return {
    taken: [
      ...state.filter((name) => STATE_ENTRIES.has(name)).map((name) => `${stateDir}/${name}`),
      ...run.filter((name) => RUN_ENTRIES.has(name)).map((name) => `${runDir}/${name}`),
    ].filter((path) => path !== lockDir),
    owners: owners.map(({ name }) => `${stateDir}/${name}`),
    fleets: owners.flatMap(({ name, fleets }) => fleets.map((fleet) => `${name}/${fleet}`)),
    foreign: [
      ...state.filter((name) => !isKnown(name)).map((name) => `${stateDir}/${name}`),
      ...run.filter((name) => !RUN_ENTRIES.has(name)).map((name) => `${runDir}/${name}`),
    ],
  };
}

/** An owner's directory holds directories of fleets, and nothing else. */
async function ownersIn(
  host: HostReader,
  stateDir: string,
  names: readonly string[],
  options: { readonly signal?: AbortSignal },
): Promise<readonly { readonly name: string; readonly fleets: readonly string[] }[]> {
  const likely = names.filter(
    (name) => !STATE_ENTRIES.has(name) && OwnerId.safeParse(name).success,
  );
  const { entries } = await host.snapshot(
    { list: likely.map((name) => `${stateDir}/${name}`) },
    options,
  );
  return likely.flatMap((name) => {
    const fleets = entries.get(`${stateDir}/${name}`);
    const isOwner = fleets?.every((each) => Name.safeParse(each).success) === true;
    return isOwner ? [{ name, fleets }] : [];
  });
}
