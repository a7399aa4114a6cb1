import type { EngineReader } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import type { EngineConfig, FleetManifest, ObservedPod } from "../../model/index.ts";
import {
  type Connector,
  type EngineReading,
  type HostReading,
  readEngines,
} from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { CommandContext } from "../context.ts";
import { printable } from "../text/printable.ts";
import { didYouMean } from "../text/suggest.ts";
import { isMeant, mayBeOn, type PodName, podNameText } from "./pod-names.ts";
import { selectHosts } from "./select-hosts.ts";

/** A pod of the fleet on a host, in one of its engines. */
export interface FoundPod {
  readonly host: string;
  readonly reading: HostReading;
  readonly config: EngineConfig;
  readonly engine: EngineReader;
  readonly pod: ObservedPod;
}

/** Which pods to look for, and for what. */
export interface PodSearch {
  readonly manifest: FleetManifest;
  /** Its `--host` says where. */
  readonly args: Arguments;
  readonly context: CommandContext;
  readonly wanted: readonly PodName[];
  /** What is to be done to them, as the words after "Cannot". */
  readonly doing: string;
}

/**
 * Pods of a fleet by name, on all of its hosts: of each the generation that runs, else the newest. A host that
 * cannot be asked is warned of, when there is another.
 *
 * @param reach how hosts are reached; what it opens is in what was found
 * @param readings gets what was opened on the way; to be closed by the caller, whatever happens
 * @throws StowageError `not_found` for a name that no host has
 */
export async function findPods(
  { manifest, args, context, wanted, doing }: PodSearch,
  readings: HostReading[],
  reach: Connector["read"] = context.connector.read,
): Promise<readonly FoundPod[]> {
  const hosts = selectHosts(manifest, args, wanted);
  const found = await Promise.all(
    hosts.map(async ([host, spec]) => {
      try {
        const reading = await reach(host, spec, context.drain);
        readings.push(reading);
        const request = { name: host, spec, manifest, signal: context.drain };
        const { engines } = await readEngines(reading, request);
        const own = ownPods(engines, manifest).map((pod) => ({ reading, ...pod }));
        return { host, own };
      } catch (error) {
        context.drain.throwIfAborted();
        if (!StowageError.is(error)) throw error;
        return { host, problem: error };
      }
    }),
  );
  const reached = found.flatMap((each) => (each.own === undefined ? [] : [each]));
  const problems = found.flatMap((each) => (each.problem === undefined ? [] : [each]));
  const [first] = problems;
  if (first !== undefined && reached.length === 0) throw first.problem;
  for (const { host, problem } of problems) {
    context.stderr.write(`warning: host ${host} is left out: ${printable(problem.message)}\n`);
  }
  for (const name of wanted) {
    // of a host that is left out nobody knows what it has
    if (problems.some(({ host }) => host === name.host)) continue;
    const there = reached.filter(({ host }) => mayBeOn(name, host));
    const known = there.flatMap(({ own }) => own.map(({ pod }) => pod.pod));
    if (!known.includes(name.pod))
      throw unknownPod(name, [...new Set(known)], { fleet: manifest.name, doing });
  }
  return reached.flatMap(({ host, own }) => {
    const meant = wanted.filter((name) =>
      own.some(({ pod: { pod } }) => isMeant(name, { host, pod })),
    );
    return [...new Set(meant.map(({ pod }) => pod))].flatMap((name) => {
      const all = newest(own.filter(({ pod }) => pod.pod === name));
      return all === undefined ? [] : [{ host, ...all }];
    });
  });
}

/**
 * What is there now of a pod that was found: the generation that runs, else the newest, in whichever engine of its host.
 *
 * @returns undefined where nothing is
 */
export async function findAgain(
  { host, reading, pod: { pod } }: FoundPod,
  manifest: FleetManifest,
  signal: AbortSignal,
): Promise<FoundPod | undefined> {
  const spec = manifest.hosts[host];
  if (spec === undefined) return undefined;
  const { engines } = await readEngines(reading, { name: host, spec, manifest, signal });
  const found = newest(ownPods(engines, manifest).filter((each) => each.pod.pod === pod));
  return found === undefined ? undefined : { host, reading, ...found };
}

/** The pods of a fleet in the engines of a host. */
function ownPods(
  engines: readonly EngineReading[],
  { id, name }: FleetManifest,
): readonly Pick<FoundPod, "engine" | "config" | "pod">[] {
  return engines.flatMap(({ engine, config, pods }) =>
    pods
      .filter(({ owner, fleet }) => owner === id && fleet === name)
      .map((pod) => ({ engine, config, pod })),
  );
}

/** The generation that runs, else the newest. */
function newest<T extends { readonly pod: ObservedPod }>(generations: readonly T[]): T | undefined {
  const risen = [...generations].sort((a, b) => a.pod.generation - b.pod.generation);
  const runs = ({ pod }: T): boolean => pod.state === "running" || pod.state === "degraded";
  return risen.findLast(runs) ?? risen.at(-1);
}

function unknownPod(
  name: PodName,
  known: readonly string[],
  { fleet, doing }: { readonly fleet: string; readonly doing: string },
): StowageError {
  const where = name.host === undefined ? "its hosts" : `host ${name.host}`;
  const there =
    known.length === 0 ? `no pod of it is on ${where}` : `on ${where} are ${known.join(", ")}`;
  return new StowageError(
    `Cannot ${doing} pod "${podNameText(name)}" of fleet "${fleet}": ${there}; ${didYouMean(name.pod, known, "see stowage ps")}`,
    { code: "not_found" },
  );
}
