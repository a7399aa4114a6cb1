import { type Diagnostic, DiagnosticsError } from "../errors/index.ts";
import { engineName, hostDirectories, isSameEngine, type PodRecord } from "../model/index.ts";
import { earlyHostChanges } from "./host-changes.ts";
import { seenEngines } from "./observed-pods.ts";
import { type HostChange, type HostPlan, PLAN_VERSION, type Plan, type PodChange } from "./plan.ts";
import type { HostObservation, PlanInput } from "./plan-input.ts";
import { mayRun, type PlacedPod } from "./pod-context.ts";
import { type HostHistories, pruneHistories, type RecordRetention } from "./prune-history.ts";
import { type PrunedGeneration, pruneImages } from "./prune-images.ts";
import { hostRefusals } from "./refusals.ts";
import { commitStep, keptEntries, sweepPlaced } from "./steps.ts";

/** What is kept of what nothing needs now. */
export interface Retention extends RecordRetention {
  /** Old generations of each pod that stay, newest first. */
  readonly keep: number;
  /** Old generations of pods that were applied after this stay as well, ms since 1970. */
  readonly before?: number;
  /** Old records of each pod that stay, newest first. @defaultValue all */
  readonly records?: number;
}

/**
 * What a fleet can do without on its hosts: old generations that were kept beyond a retention, images that
 * no generation needs which stays, leftovers. Pods as they run, volumes and everything of others stay. It
 * asks for no image and no secret, so that a disk that is full can be pruned.
 *
 * @throws DiagnosticsError when a host must not be worked on
 */
export function planPrune(
  input: Pick<PlanInput, "manifest" | "hosts" | "options"> & {
    /** Old records of the fleet's pods, by host. */
    readonly histories?: ReadonlyMap<string, HostHistories>;
  },
  retention: Retention,
): Plan {
  const whole: PlanInput = { ...input, leaving: new Map(), images: new Map(), secrets: new Map() };
  const { manifest, options } = input;
  const diagnostics: Diagnostic[] = [];
  const [hosts, pods, hostChanges]: [HostPlan[], PodChange[], HostChange[]] = [[], [], []];
  for (const [host, spec] of Object.entries(manifest.hosts).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const found = input.hosts.get(host);
    if (found === undefined || options.hosts?.includes(host) === false) continue;
    const { address, engine } = spec;
    const directories = hostDirectories(spec);
    const known = found.kind === "observed" ? { info: found.info } : {};
    hosts.push({
      host,
      address,
      engine,
      directories,
      declared: true,
      running: 0,
      kept: [],
      ...known,
    });
    if (found.kind === "unreachable") {
      const text = `the host cannot be reached: ${found.reason}; nothing is pruned on it`;
      hostChanges.push({
        id: `${host}/unreachable`,
        host,
        action: "unreachable",
        text,
        steps: [],
        after: [],
      });
      continue;
    }
    diagnostics.push(...hostRefusals(whole, host, found));
    const { changes, pruned } = pruneGenerations(whole, host, found, retention);
    const cleans = earlyHostChanges(whole, host, found, new Set()).filter(
      ({ action }) => action === "clean",
    );
    pods.push(...changes);
    const histories = input.histories?.get(host) ?? new Map();
    hostChanges.push(...cleans, ...pruneHistories(host, histories, retention));
    hostChanges.push(...pruneImages(whole, host, found, pruned, histories));
  }
  if (diagnostics.length > 0)
    throw new DiagnosticsError(`The pruning of fleet "${manifest.name}"`, diagnostics);
  const { id: owner, name: fleet } = manifest;
  return {
    version: PLAN_VERSION,
    owner,
    fleet,
    hosts,
    pods,
    hostChanges,
    warnings: [],
    partial: options.hosts !== undefined,
  };
}

function pruneGenerations(
  { manifest: { id, name } }: PlanInput,
  host: string,
  observation: HostObservation,
  retention: Retention,
): { readonly changes: readonly PodChange[]; readonly pruned: readonly PrunedGeneration[] } {
  const changes: PodChange[] = [];
  const pruned: PrunedGeneration[] = [];
  for (const [key, reading] of observation.records) {
    if (reading.kind !== "record" || !key.startsWith(`${id}/${name}/`)) continue;
    const { record } = reading;
    const isRecent =
      retention.before !== undefined && Date.parse(record.appliedAt) >= retention.before;
    if (record.host !== host || isRecent) continue;
    const kept = keptOf(record, observation);
    const going = kept.slice(retention.keep);
    const change = pruneChange(host, record, observation, kept.slice(0, retention.keep), going);
    if (change === undefined) continue;
    changes.push(change);
    pruned.push(...going.map((each) => ({ ...each, change: change.id })));
  }
  return { changes, pruned };
}

/** Old generations that lie in other engines on purpose and do not run, newest first. */
function keptOf(
  { kept = [], pod: name, owner, fleet }: PodRecord,
  observation: HostObservation,
): readonly PlacedPod[] {
  const found = seenEngines(observation).flatMap(({ config, engine }) =>
    engine.pods
      .filter(
        (pod) => pod.pod === name && pod.owner === owner && pod.fleet === fleet && !mayRun(pod),
      )
      .filter((pod) =>
        kept.some(
          (each) => each.generation === pod.generation && isSameEngine(each.engine, config),
        ),
      )
      .map((pod) => ({ pod, engine: config })),
  );
  return found.sort((a, b) => b.pod.generation - a.pod.generation);
}

function pruneChange(
  host: string,
  record: PodRecord,
  { config }: HostObservation,
  staying: readonly PlacedPod[],
  going: readonly PlacedPod[],
): PodChange | undefined {
  const current = record.generations.find(({ generation }) => generation === record.current);
  const [first] = going;
  if (first === undefined || current === undefined) return undefined;
  const { owner, fleet, host: made } = first.pod;
  const texts = going.map(
    ({ pod, engine }) =>
      `its old generation ${pod.generation} was kept in ${engineName(engine, config)}, and no way back to it is left`,
  );
  return {
    id: `${host}/${record.pod}`,
    host,
    pod: record.pod,
    action: "clean",
    origin: { owner, fleet, host: made },
    reasons: texts.map((text) => ({ kind: "leftover", path: "", verdict: "none", text })),
    steps: [...sweepPlaced(going), commitStep(current.generation, keptEntries(staying))],
    after: [],
    interrupts: false,
    to: current,
    notes: [],
  };
}
