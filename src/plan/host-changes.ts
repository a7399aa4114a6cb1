import {
  canonicalText,
  directoriesPart,
  type EngineConfig,
  engineIdentity,
  engineName,
  type HostSpec,
  type Json,
  type ObservedLeftover,
  type Roster,
  type RosterHost,
} from "../model/index.ts";
import { bootChanges } from "./boot-changes.ts";
import { formerIdentities } from "./identities.ts";
import { seenEngines } from "./observed-pods.ts";
import type { HostChange, PodChange } from "./plan.ts";
import type { HostObservation, PlanInput } from "./plan-input.ts";
import { strayFiles } from "./stray-files.ts";

/**
 * What has to be done on a host before its pods: a renamed fleet's directory, leftovers of a killed apply.
 *
 * @param imports digests of images that are brought in next
 */
export function earlyHostChanges(
  input: PlanInput,
  host: string,
  observation: HostObservation,
  imports: ReadonlySet<string>,
): readonly HostChange[] {
  const renames = formerIdentities(input, observation).map(
    (from): HostChange => ({
      id: `${host}/rename:${from.owner}/${from.fleet}`,
      host,
      action: "rename",
      text: `the fleet was ${from.owner}/${from.fleet} here; its records and volumes move to the new name`,
      steps: [{ kind: "move-fleet", from }],
      after: [],
    }),
  );
  if (input.options.pods !== undefined) return renames;
  const engines = [
    {
      // what an import continues with, it removes itself
      leftovers: observation.engine.leftovers.filter(({ image = "" }) => !imports.has(image)),
      engine: undefined,
    },
    ...seenEngines(observation).map(({ config, engine: { leftovers } }) => ({
      leftovers,
      engine: config,
    })),
  ];
  const cleans = engines
    .filter(({ leftovers }) => leftovers.length > 0)
    .map(({ leftovers, engine }) => cleanChange(host, leftovers, engine, observation.config));
  return [...renames, ...cleans, ...strayFiles(host, observation)];
}

function cleanChange(
  host: string,
  leftovers: readonly ObservedLeftover[],
  engine: EngineConfig | undefined,
  config: EngineConfig,
): HostChange {
  const at = engine === undefined ? {} : { engine };
  const where = engine === undefined ? "" : ` in ${engineName(engine, config)}`;
  return {
    id: engine === undefined ? `${host}/clean` : `${host}/${engineIdentity(engine)}/clean`,
    host,
    action: "clean",
    // of a killed apply, or of a pod that somebody removed by hand: nothing on the host tells which
    text: `left over, and in use by no pod: ${leftovers.map(({ what, name }) => `${what} ${name}`).join(", ")}${where}`,
    steps: leftovers.map(({ name }) => ({ kind: "remove-leftover", name, ...at })),
    after: [],
  };
}

/** What has to be done on a host after all its pods: the link of a renamed fleet, the roster. */
export function lateHostChanges(
  input: PlanInput,
  host: string,
  observation: HostObservation,
  podChanges: readonly PodChange[],
  around: {
    /** Engines of the host in which something of the fleet is to stay. */
    readonly others: readonly EngineConfig[];
    /** Ids of what has to be done in such engines. */
    readonly elsewhere: readonly string[];
  },
): readonly HostChange[] {
  const after = podChanges.filter((change) => change.host === host).map(({ id }) => id);
  const ends = formerIdentities(input, observation).map(
    (from): HostChange => ({
      id: `${host}/forget:${from.owner}/${from.fleet}`,
      host,
      action: "rename",
      text: `nothing of ${from.owner}/${from.fleet} is left here`,
      steps: [{ kind: "forget-fleet", from }],
      after,
    }),
  );
  const boot = bootChanges(input, host, observation, after);
  const roster = rosterChange(
    input,
    host,
    observation,
    [...after, ...around.elsewhere],
    around.others,
  );
  return [...ends, ...boot, ...(roster === undefined ? [] : [roster])];
}

function rosterChange(
  input: PlanInput,
  host: string,
  observation: HostObservation,
  after: readonly string[],
  others: readonly EngineConfig[],
): HostChange | undefined {
  const { id, name } = input.manifest;
  const reading = observation.rosters.get(`${id}/${name}`);
  const held = reading?.kind === "roster" ? reading.roster : undefined;
  const isLeaving = !(host in input.manifest.hosts) || input.options.destroy === true;
  if (isLeaving) {
    // one that only ever got a pause has a directory too
    if (
      (reading === undefined && observation.marks === undefined) ||
      (input.options.pods !== undefined && input.options.destroy === true)
    )
      return undefined;
    return {
      id: `${host}/roster`,
      host,
      action: "leave",
      text: `the host leaves the fleet`,
      steps: [{ kind: "remove-roster" }],
      after,
    };
  }
  const hosts = rosterHosts(input, held, host, others);
  if (held !== undefined && isSameRoster(held.hosts, hosts)) return undefined;
  return {
    id: `${host}/roster`,
    host,
    action: "roster",
    text: describeRoster(held?.hosts, hosts),
    steps: [{ kind: "write-roster", hosts }],
    after,
  };
}

/** What was compared last with a list of hosts: every host of a fleet holds the same one, and is to hold the same one. */
const compared = new WeakMap<
  Roster["hosts"],
  { readonly wanted: object; readonly same: boolean }
>();

function isSameRoster(held: Roster["hosts"], wanted: Roster["hosts"]): boolean {
  const last = compared.get(held);
  if (last?.wanted === wanted) return last.same;
  const same = hasSameHosts(held, wanted);
  compared.set(held, { wanted, same });
  return same;
}

function hasSameHosts(held: Roster["hosts"], wanted: Roster["hosts"]): boolean {
  const names = Object.keys(wanted);
  return (
    names.length === Object.keys(held).length &&
    names.every((name) => {
      const [was, is] = [held[name], wanted[name]];
      return was !== undefined && is !== undefined && isSameEntry(was, is);
    })
  );
}

/** An old roster does not say more of an engine than its kind: that alone is no difference. */
function isSameEntry(was: RosterHost, is: RosterHost): boolean {
  if (was.address !== is.address || was.engine !== is.engine) return false;
  if (was.config !== undefined && !isEqual(was.config, is.config)) return false;
  if (was.stateDir !== is.stateDir || was.runDir !== is.runDir) return false;
  return was.others === is.others || isEqual(was.others ?? [], is.others ?? []);
}

function isEqual(one: unknown, other: unknown): boolean {
  return canonicalText(one as Json) === canonicalText(other as Json);
}

/** How a roster names a host; engines that still hold something are named on that host alone. */
export function rosterEntry(spec: HostSpec, others: readonly EngineConfig[] = []): RosterHost {
  const { address, engine } = spec;
  const sorted = [...others].sort((a, b) => (engineIdentity(a) < engineIdentity(b) ? -1 : 1));
  return {
    address,
    engine: engine.kind,
    config: engine,
    ...directoriesPart(spec),
    ...(sorted.length === 0 ? {} : { others: sorted }),
  };
}

/** What the rosters of a plan are to name, for hosts that have nothing of their own to say. */
const commonHosts = new WeakMap<PlanInput, Roster["hosts"]>();

/** The hosts that a roster is to name: all that are declared, and those that cannot be struck yet. */
function rosterHosts(
  input: PlanInput,
  held: Roster | undefined,
  host: string,
  others: readonly EngineConfig[],
): Roster["hosts"] {
  const isPartial = input.options.hosts !== undefined || input.options.pods !== undefined;
  if (isPartial || others.length > 0) return listRosterHosts(input, held, host, others);
  const known = commonHosts.get(input) ?? listRosterHosts(input, undefined, host, others);
  commonHosts.set(input, known);
  return known;
}

function listRosterHosts(
  input: PlanInput,
  held: Roster | undefined,
  host: string,
  others: readonly EngineConfig[],
): Roster["hosts"] {
  const entry = (spec: HostSpec) => rosterEntry(spec);
  const declared = Object.entries(input.manifest.hosts).map(
    ([name, spec]) => [name, rosterEntry(spec, name === host ? others : [])] as const,
  );
  const unreached = [...input.leaving]
    .filter(([name]) => input.hosts.get(name)?.kind !== "observed" && !isForgotten(input, name))
    .map(([name, spec]) => [name, entry(spec)] as const);
  const isPartial = input.options.hosts !== undefined || input.options.pods !== undefined;
  const kept = isPartial
    ? Object.entries(held?.hosts ?? {}).filter(([name]) => !isForgotten(input, name))
    : [];
  return Object.fromEntries(
    [...kept, ...unreached, ...declared].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Whether the user said to strike a host without reaching it. */
export function isForgotten(input: PlanInput, host: string): boolean {
  return input.options.forgetHosts?.includes(host) ?? false;
}

function describeRoster(held: Roster["hosts"] | undefined, hosts: Roster["hosts"]): string {
  if (held === undefined) return "the host joins the fleet";
  const [before, now] = [Object.keys(held), Object.keys(hosts)];
  const isChanged = (name: string): boolean =>
    name in held && JSON.stringify(held[name]) !== JSON.stringify(hosts[name]);
  const parts = [
    ...now.filter((name) => !(name in held)).map((name) => `+ ${name}`),
    ...now.filter(isChanged).map((name) => `~ ${name}`),
    ...before.filter((name) => !(name in hosts)).map((name) => `- ${name}`),
  ];
  return `its list of the fleet's hosts is updated: ${parts.join(", ")}`;
}
