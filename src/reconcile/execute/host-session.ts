import type { Engine } from "../../engine/index.ts";
import type { Host } from "../../host/index.ts";
import { createLimiter, createPace, type Limiter, type Pace } from "../../internal/index.ts";
import {
  type AppliedImage,
  type EngineConfig,
  type HostLayout,
  type HostSpec,
  hostDirectories,
  type Roster,
} from "../../model/index.ts";
import type { HostObservation } from "../../plan/index.ts";
import type { HostAccess } from "../connector.ts";
import { PodFiles } from "../files/pod-files.ts";
import { ObservationFeed } from "../health/observation-feed.ts";
import type { ImageStore } from "../images/image-store.ts";
import type { HostLock } from "../lock/held-lock.ts";
import type { SecretValues } from "../secrets/secret-values.ts";
import { RecordBook } from "./record-book.ts";

/** Changes of one host that are worked on at once. */
export const CHANGES_AT_ONCE = 8;

/** What all hosts of an apply have in common. */
export interface ApplyContext {
  readonly owner: string;
  readonly fleet: string;
  readonly manager: Roster["manager"];
  readonly appliedBy: string;
  readonly secrets: SecretValues;
  readonly store: ImageStore;
  /** How long a container without a probe has to run before it counts as started. */
  readonly settleMs: number;
  /** By machine, as far as known: what only one of all hosts on it may do at a time. */
  readonly alone: Map<string, Limiter>;
  /** Those that it works on, by name. */
  readonly sessions: ReadonlyMap<string, HostSession>;
}

/** A host that is reached, locked and observed. */
export interface LockedHost {
  readonly name: string;
  readonly spec: HostSpec;
  readonly host: Host;
  readonly engine: Engine;
  readonly engineAt: HostAccess["engineAt"];
  readonly lock: HostLock;
  readonly observation: HostObservation;
}

/** A host while an apply works on it. */
export interface HostSession extends LockedHost {
  readonly context: ApplyContext;
  readonly layout: HostLayout;
  readonly records: RecordBook;
  readonly files: PodFiles;
  readonly feed: ObservationFeed;
  /** Images that got another manifest digest when they were handed over, by the one that was planned. */
  readonly handedOver: Map<string, AppliedImage>;
  readonly run: Limiter;
  /** What only one may do at a time of all hosts on the machine. */
  readonly alone: Limiter;
  readonly probe: Limiter;
  /** Of what is sent to it of images. */
  readonly pace: Pace;
  /** Aborted by a lost lock and by the user. */
  readonly signal: AbortSignal;
}

/** Sets up what an apply needs on a host. */
export function openSession(
  locked: LockedHost,
  context: ApplyContext,
  layout: HostLayout,
  signal: AbortSignal,
): HostSession {
  const { owner, fleet, appliedBy, secrets } = context;
  const { host, name, observation, engine } = locked;
  const directories = hostDirectories(locked.spec);
  const machine = `${host.address} ${directories.stateDir} ${directories.runDir}`;
  const alone = context.alone.get(machine) ?? createLimiter(1);
  context.alone.set(machine, alone);
  const work = createLimiter(CHANGES_AT_ONCE);
  let open = 0;
  const run: Limiter = async (task, options) => {
    open += 1;
    try {
      return await work(task, options);
    } finally {
      open -= 1;
    }
  };
  return {
    ...locked,
    context,
    layout,
    signal,
    alone,
    records: new RecordBook({
      host,
      name,
      owner,
      fleet,
      layout,
      observed: observation.records,
      appliedBy,
      secrets,
    }),
    files: new PodFiles({ host, directories, secrets, alone }),
    feed: new ObservationFeed(engine, signal, () => open > 0),
    handedOver: new Map(),
    run,
    probe: createLimiter(CHANGES_AT_ONCE),
    pace: createPace(locked.spec.pullBytesPerSecond),
  };
}

/** The session as a step sees it that acts on another engine of the host; without one it is the same. */
export async function sessionAt<
  S extends Pick<HostSession, "engine" | "engineAt" | "feed" | "signal">,
>(session: S, config: EngineConfig | undefined): Promise<S> {
  if (config === undefined) return session;
  const engine = await session.engineAt(config);
  return { ...session, engine, feed: new ObservationFeed(engine, session.signal) };
}
