import { hash } from "node:crypto";
import type { ObserveOptions } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import {
  type CniNetwork,
  OBJECT_PREFIX,
  type ObservedCni,
  type ObservedEngine,
  type ObservedPod,
  type PodIdentity,
} from "../../model/index.ts";
import { readFile } from "../files.ts";
import { MOUNTS, mountedPaths } from "../mounts.ts";
import { podNameOf } from "../places.ts";
import { runScript } from "../run-script.ts";
import { LOOK } from "../scripts.ts";
import { hostsText } from "../texts.ts";
import { type CniConfig, pluginTexts, publishesPorts, readCniConfig } from "./cni-config.ts";
import { CniPodFile } from "./cni-files.ts";
import { areForwarded, type CniParts, placeOf } from "./cni-networks.ts";
import { CNI_LOOK } from "./cni-scripts.ts";

/** What was found of the generations of all engines. */
interface Found {
  readonly files: ReadonlyMap<string, CniPodFile>;
  /** Names of unknown origin. */
  readonly unknown: readonly string[];
  readonly mounted: ReadonlySet<string>;
  readonly texts: ReadonlyMap<string, string | Error>;
}

/** Adds to what an engine reports how its pods are in networks of the host's own. */
export async function observeCni(
  parts: CniParts,
  observed: ObservedEngine,
  options: ObserveOptions,
): Promise<ObservedEngine> {
  const found = await find(parts, options);
  const own = (pod: PodIdentity): CniPodFile | undefined => {
    const file = found.files.get(podNameOf(pod));
    return file?.engine === parts.engine ? file : undefined;
  };
  const isAttached = (pod: ObservedPod): boolean =>
    own(pod)?.address !== undefined &&
    Object.values(pod.containers).some(({ state }) => state === "running");
  const running = options.podsOnly === true ? [] : observed.pods.filter(isAttached);
  const problems = await problemsOf(
    parts,
    found,
    running.flatMap((pod) => own(pod) ?? []),
  );
  options.signal?.throwIfAborted();
  const pods = observed.pods.map((pod): ObservedPod => {
    const file = own(pod);
    if (file === undefined) return pod;
    const { address, cni } = file;
    const detached = problems.get(podNameOf(pod));
    return {
      ...pod,
      reported: { ...pod.reported, "network.mode": "cni", "network.cni.name": cni.name },
      ...(address === undefined ? {} : { address }),
      ...(detached === undefined ? {} : { detached }),
    };
  });
  return { ...observed, pods, leftovers: withLeftovers(parts, observed, found) };
}

/** What a host has of the networks that pods want, each once. */
export async function lookForCni(
  { host }: CniParts,
  wanted: readonly CniNetwork[],
): Promise<readonly ObservedCni[]> {
  const each = new Map(wanted.map((network) => [JSON.stringify(network), network]));
  return await Promise.all(
    [...each.values()].map(async (network): Promise<ObservedCni> => {
      try {
        const config = await readCniConfig(host, network);
        return { wanted: network, publishes: publishesPorts(config) };
      } catch (error) {
        if (!StowageError.is(error)) throw error;
        return { wanted: network, publishes: true, problem: error.message };
      }
    }),
  );
}

async function find({ host, places }: CniParts, { signal }: ObserveOptions): Promise<Found> {
  const { files, entries } = await host.snapshot(
    { files: [places.podFile("*"), `${places.networks}/*/hosts`, MOUNTS], list: [places.root] },
    signal === undefined ? {} : { signal },
  );
  const known = new Map<string, CniPodFile>();
  const unknown: string[] = [];
  for (const name of entries.get(places.root) ?? []) {
    const file = readFile(CniPodFile, files.get(places.podFile(name)));
    if (file !== undefined) known.set(name, file);
    else if (name.startsWith(OBJECT_PREFIX)) unknown.push(name);
  }
  return { files: known, unknown, mounted: mountedPaths(files.get(MOUNTS)), texts: files };
}

/** What of running pods' networks is not as it was made, by the pods' names. */
async function problemsOf(
  parts: CniParts,
  found: Found,
  files: readonly CniPodFile[],
): Promise<ReadonlyMap<string, string>> {
  if (files.length === 0) return new Map();
  const { host, places } = parts;
  const doing = "read the host's CNI networks";
  const [said, look, configs] = await Promise.all([
    runScript(
      host,
      CNI_LOOK,
      files.flatMap((file) => placeOf(places, file)),
      { doing },
    ),
    runScript(host, LOOK, [], { doing }),
    readConfigs(parts, files),
  ]);
  const lines = said.split("\n");
  return new Map(
    files.flatMap((file, at) => {
      const problem = whyDetached(parts, found, file, {
        said: lines[at]?.trim() ?? "",
        look,
        config: configs.get(keyOf(file)),
      });
      return problem === undefined ? [] : [[podNameOf(file.identity), problem] as const];
    }),
  );
}

function whyDetached(
  { places }: CniParts,
  { files, mounted, texts }: Found,
  file: CniPodFile,
  { said, look, config }: { said: string; look: string; config: CniConfig | undefined },
): string | undefined {
  const { identity, cni } = file;
  const network = places.network(identity, cni);
  if (!mounted.has(places.namespace(network, podNameOf(identity))))
    return "its network namespace was deleted";
  if (said !== "")
    return said.startsWith("{") ? `a plugin of CNI network ${cni.name} says: ${said}` : said;
  if (file.forwards === true && !areForwarded(file, look))
    return "a rule that forwards a host port to it was removed";
  if (config !== undefined && digestOf(config, file) !== file.config)
    return `the host's configuration of CNI network ${cni.name} was changed`;
  const pods = [...files.values()].filter(
    (each) => places.network(each.identity, each.cni) === network,
  );
  return texts.get(places.hostsFile(network)) === hostsText(pods)
    ? undefined
    : `the name list of CNI network ${cni.name} is wrong`;
}

/** The configurations of networks that pods are in, where they are there to be read. */
async function readConfigs(
  { host }: CniParts,
  files: readonly CniPodFile[],
): Promise<ReadonlyMap<string, CniConfig>> {
  const wanted = new Map(files.map((file) => [keyOf(file), file.cni]));
  const read = await Promise.all(
    [...wanted].map(async ([key, network]) => {
      try {
        return [[key, await readCniConfig(host, network)] as const];
      } catch (error) {
        // what runs needs none; the plan says it of pods that are declared
        if (!StowageError.is(error)) throw error;
        return [];
      }
    }),
  );
  return new Map(read.flat());
}

function keyOf({ cni }: CniPodFile): string {
  return JSON.stringify(cni);
}

function digestOf(config: CniConfig, { cni, ports }: CniPodFile): string | undefined {
  try {
    return hash("sha256", JSON.stringify(pluginTexts(config, cni, ports)));
  } catch (error) {
    if (!StowageError.is(error)) throw error;
    return undefined;
  }
}

/** With what no pod is behind. */
function withLeftovers(
  { engine }: CniParts,
  { pods, leftovers }: ObservedEngine,
  { files, unknown }: Found,
): ObservedEngine["leftovers"] {
  const known = new Set([...pods.map(podNameOf), ...leftovers.map(({ name }) => name)]);
  const left = [...files].flatMap(([name, file]) => (file.engine === engine ? name : []));
  return [
    ...leftovers,
    ...[...left, ...unknown]
      .filter((name) => !known.has(name))
      .map((name) => ({ name, what: "network of a pod" })),
  ];
}
