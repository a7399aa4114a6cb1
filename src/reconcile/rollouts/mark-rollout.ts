import { StowageError } from "../../errors/index.ts";
import { mapLimited } from "../../internal/index.ts";
import {
  canonicalText,
  type HostLayout,
  type HostSpec,
  hostDirectories,
  hostLayout,
  type Json,
  parseRecord,
  parseRolloutMark,
  ROLLOUT_MARK_VERSION,
  type RolloutMark,
} from "../../model/index.ts";
import {
  type FoundMark,
  marksOn,
  newestMark,
  pauseOf,
  type RolloutPause,
} from "../../plan/index.ts";
import type { HostAccess } from "../connector.ts";
import { DEFAULT_PARALLELISM } from "../observe/observe-fleet.ts";
import { auditMark } from "./audit-mark.ts";
import type { MarkRolloutRequest } from "./mark-request.ts";

/** What came of it on one host. */
export interface MarkOutcome {
  readonly host: string;
  /** Why it does not have the mark. */
  readonly problem?: StowageError;
  /** Why its audit file does not tell of it. */
  readonly notAudited?: string;
}

/** What came of it. */
export interface MarkedRollout {
  /** The pause that the hosts had before. */
  readonly before?: RolloutPause;
  /** The pause that they have now; without hosts that were not reached. */
  readonly after?: RolloutPause;
  /** What was written; absent where every host says so already. */
  readonly mark?: RolloutMark;
  /** Every host that holds or is to hold pods of the service. */
  readonly hosts: readonly MarkOutcome[];
}

/**
 * Tells every host of a service that its rollout is paused, or continues. It takes no lock: an apply that holds it
 * finds the mark before its next wave. A mark that is written has a higher revision than all that were found,
 * so that a host which was away does not matter when it is back with an old one.
 *
 * Safe to be killed at any moment: what was written by then counts, and doing it again writes the rest.
 */
export async function markRollout(request: MarkRolloutRequest): Promise<MarkedRollout> {
  const { manifest, service, signal } = request;
  const parallelism = request.parallelism ?? DEFAULT_PARALLELISM;
  const hosts = Object.entries(manifest.hosts).filter(([, { pods }]) =>
    Object.values(pods ?? {}).some((pod) => pod.service === service),
  );
  const opened: HostAccess[] = [];
  try {
    const looked = await mapLimited(hosts, parallelism, async ([host, spec]) =>
      attempt(host, signal, async () => {
        const access = await request.connector.open(host, spec, signal);
        opened.push(access);
        return { access, ...(await lookAt(access, host, spec, request)) };
      }),
    );
    const reached = looked.flatMap((each) => ("problem" in each ? [] : [each]));
    const marks = reached.flatMap(({ found }) => found);
    const pause = pauseOf(marks);
    const before = pause === undefined ? {} : { before: pause };
    if (isSettled(marks, request.paused, looked)) {
      const after = pause === undefined ? {} : { after: pause };
      return { ...before, ...after, hosts: namesOf(looked) };
    }
    const mark = nextMark(marks, request);
    const outcomes = await mapLimited(looked, parallelism, async (each): Promise<MarkOutcome> => {
      if ("problem" in each) return each;
      return attempt(each.host, signal, () => write(each, mark, request));
    });
    const told = new Set(outcomes.flatMap(({ host, problem }) => (problem ? [] : [host])));
    const left = marks.filter(({ host }) => !told.has(host));
    const now = pauseOf([
      ...left,
      ...[...told].map((host) => ({ host, reading: { kind: "mark", mark } as const })),
    ]);
    return { ...before, ...(now === undefined ? {} : { after: now }), mark, hosts: outcomes };
  } finally {
    await Promise.allSettled(opened.map((access) => access[Symbol.asyncDispose]()));
  }
}

interface Looked {
  readonly host: string;
  readonly access: HostAccess;
  readonly layout: HostLayout;
  readonly found: readonly FoundMark[];
}

async function attempt<T>(
  host: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<
  (T & { readonly host: string }) | { readonly host: string; readonly problem: StowageError }
> {
  try {
    return { ...(await work()), host };
  } catch (error) {
    signal?.throwIfAborted();
    if (!StowageError.is(error)) throw error;
    return { host, problem: error };
  }
}

/** The mark of a host, and where it is: with the rest of the fleet, also where that has yet to be renamed. */
async function lookAt(
  { host }: HostAccess,
  name: string,
  spec: HostSpec,
  { manifest, service, signal }: MarkRolloutRequest,
): Promise<Pick<Looked, "layout" | "found">> {
  const { id, formerly } = manifest;
  const directories = hostDirectories(spec);
  const now = hostLayout(directories, id, manifest.name);
  const former = formerly === undefined ? undefined : hostLayout(directories, id, formerly);
  const layouts = former === undefined ? [now] : [now, former];
  const pods = Object.entries(spec.pods ?? {}).filter(([, pod]) => pod.service === service);
  const { files, existing } = await host.snapshot(
    {
      files: layouts.flatMap(({ rolloutFile, recordFile }) => [
        rolloutFile("*"),
        ...pods.map(([pod]) => recordFile(pod)),
      ]),
      exist: layouts.map(({ fleetDir }) => fleetDir),
    },
    signal === undefined ? {} : { signal },
  );
  const isRenamed = former === undefined || existing.has(now.fleetDir);
  const [layout, fleet] =
    isRenamed || !existing.has(former.fleetDir)
      ? [now, manifest.name]
      : [former, formerly ?? manifest.name];
  const records = new Map(
    pods.flatMap(([pod, declared]) => {
      const text = files.get(layout.recordFile(pod));
      if (typeof text !== "string") return [];
      return [[`${id}/${fleet}/${pod}`, parseRecord(text, { spec: declared })] as const];
    }),
  );
  const marks = new Map(
    [...files].flatMap(([path, text]) => {
      const named = nameOfMark(path, layout);
      return named === undefined
        ? []
        : [[`${id}/${fleet}/${named}`, parseRolloutMark(text, named)] as const];
    }),
  );
  const seen = { records, marks, pods: spec.pods };
  return { layout, found: marksOn(name, service, seen, { id, name: fleet }) };
}

/** The service of a mark's file. */
function nameOfMark(path: string, { rolloutsDir }: HostLayout): string | undefined {
  const isMark = path.startsWith(`${rolloutsDir}/`) && path.endsWith(".json");
  return isMark ? path.slice(rolloutsDir.length + 1, -".json".length) : undefined;
}

/** Whether nothing is to be written: every host was reached and says what is wanted, or none ever said anything else. */
function isSettled(
  marks: readonly FoundMark[],
  paused: boolean,
  looked: readonly object[],
): boolean {
  const newest = newestMark(marks);
  if (newest === undefined) return !paused && marks.length === 0;
  if ((pauseOf(marks) !== undefined) !== paused) return false;
  const isNewest = ({ reading }: FoundMark) =>
    reading.kind === "mark" && reading.mark.revision === newest.mark.revision;
  const told = marks.filter(isNewest);
  return new Set(told.map(({ host }) => host)).size === looked.length;
}

/** A pause that is said again is as old as the first time. */
function nextMark(
  marks: readonly FoundMark[],
  { service, paused, by, now }: MarkRolloutRequest,
): RolloutMark {
  const newest = newestMark(marks)?.mark;
  const since =
    paused && newest?.paused === true
      ? { by: newest.by, at: newest.at }
      : { by, at: now().toISOString() };
  const revision = (newest?.revision ?? 0) + 1;
  return { version: ROLLOUT_MARK_VERSION, service, revision, paused, ...since };
}

async function write(
  { host, access, layout, found }: Looked,
  mark: RolloutMark,
  request: MarkRolloutRequest,
): Promise<Pick<MarkOutcome, "notAudited">> {
  const { service, signal } = request;
  const newer = found.find(({ reading }) => reading.kind === "newer");
  if (newer?.reading.kind === "newer") {
    throw new StowageError(
      `Cannot write the mark of service "${service}" on host ${host}: a newer Stowage wrote the one that is there (version ${newer.reading.version}); use that one`,
      { code: "failed_precondition" },
    );
  }
  const options = signal === undefined ? {} : { signal };
  await access.host.writeFile(
    layout.rolloutFile(service),
    canonicalText(mark as unknown as Json),
    options,
  );
  const notAudited = await auditMark(access.host, layout, { ...request, host });
  return notAudited === undefined ? {} : { notAudited };
}

function namesOf(
  looked: readonly { readonly host: string; readonly problem?: StowageError }[],
): readonly MarkOutcome[] {
  return looked.map(({ host, problem }) => (problem === undefined ? { host } : { host, problem }));
}
