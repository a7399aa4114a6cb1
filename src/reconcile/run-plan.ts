import { StowageError } from "../errors/index.ts";
import { anySignal, mapLimited } from "../internal/index.ts";
import {
  engineIdentity,
  type HostSpec,
  hostDirectories,
  hostLayout,
  type Roster,
} from "../model/index.ts";
import { marksOf, type Plan, rosterEntry } from "../plan/index.ts";
import { type ApplyFleetRequest, SETTLE_MS } from "./apply-request.ts";
import { auditRun } from "./execute/audit-run.ts";
import type { ChangeOutcome } from "./execute/events.ts";
import { executePlan } from "./execute/execute-plan.ts";
import { type ApplyContext, type HostSession, openSession } from "./execute/host-session.ts";
import { heldRoster, includesHosts, writeRoster } from "./execute/rosters.ts";
import type { ImageStore } from "./images/image-store.ts";
import { fencedSignal } from "./lock/fenced-signal.ts";
import type { LockedHosts } from "./locked-hosts.ts";
import { fleetRosters } from "./observe/leaving-hosts.ts";
import { DEFAULT_PARALLELISM, type FleetObservation } from "./observe/observe-fleet.ts";
import { otherEngines } from "./observe/other-engines.ts";
import { type ApplyReport, statusOf } from "./report.ts";
import type { SecretValues } from "./secrets/secret-values.ts";

/** A plan that was agreed to, and the hosts it is run on. */
export interface RunPlanRequest extends ApplyFleetRequest {
  readonly plan: Plan;
  readonly locked: LockedHosts;
  readonly observation: FleetObservation;
  readonly store: ImageStore;
  readonly secrets: SecretValues;
  /** What the hosts' audit files call it; absent: they do not note it. */
  readonly audited?: string | undefined;
}

/** Runs a plan under the locks and reports what came of it. */
export async function runPlan(request: RunPlanRequest): Promise<ApplyReport> {
  const { plan, observation, onEvent } = request;
  const beganAt = performance.now();
  // a mistake of our own ends everything, as the end of the process would
  const crash = new AbortController();
  const signals = [crash.signal, ...(request.signal === undefined ? [] : [request.signal])];
  const sessions = openSessions({ ...request, signal: anySignal(signals) });
  const draining = request.draining ?? new AbortController().signal;
  try {
    const parallelism = request.parallelism ?? DEFAULT_PARALLELISM;
    const command = request.audited;
    const auditEnd = await auditRun({ command, plan, sessions, parallelism, onEvent });
    const { announced, silent } = await announceHosts(request, sessions);
    const outcomes = await executePlan({
      plan,
      sessions: new Map([...sessions].filter(([name]) => !silent.has(name))),
      marks: marksOf(request.manifest, observation.hosts),
      draining,
      onEvent,
      onCrash: (error) => crash.abort(error),
      parallelism,
      despitePauses: request.options.despitePauses,
      unreachable: new Map([...unreachableHosts(observation), ...silent]),
    });
    if (outcomes.every(({ status }) => status === "done")) await settleHosts(announced, outcomes);
    const isInterrupted = draining.aborted || request.signal?.aborted === true;
    await auditEnd(outcomes, isInterrupted);
    return {
      plan,
      status: statusOf(outcomes, isInterrupted),
      outcomes,
      deletedVolumes: [],
      ms: performance.now() - beganAt,
    };
  } finally {
    for (const { signal } of sessions.values()) signal[Symbol.dispose]();
  }
}

function unreachableHosts({ hosts }: FleetObservation): readonly (readonly [string, string])[] {
  return [...hosts].flatMap(([name, found]) =>
    found.kind === "unreachable" ? [[name, found.reason] as const] : [],
  );
}

type FencedSession = HostSession & { readonly signal: AbortSignal & Disposable };

/** Sessions of the hosts that were reached. */
export function openSessions(
  request: Pick<
    RunPlanRequest,
    | "manifest"
    | "locked"
    | "observation"
    | "store"
    | "signal"
    | "manager"
    | "appliedBy"
    | "secrets"
    | "settleMs"
  >,
): ReadonlyMap<string, FencedSession> {
  const { manifest, locked, observation, store, appliedBy, secrets } = request;
  const sessions = new Map<string, FencedSession>();
  const context: ApplyContext = {
    owner: manifest.id,
    fleet: manifest.name,
    manager: request.manager ?? "cli",
    appliedBy,
    secrets,
    store,
    settleMs: request.settleMs ?? SETTLE_MS,
    alone: new Map(),
    sessions,
  };
  for (const [name, found] of observation.hosts) {
    const opened = locked.get(name);
    const spec: HostSpec | undefined = manifest.hosts[name] ?? observation.leaving.get(name);
    if (opened === undefined || spec === undefined || found.kind !== "observed") continue;
    const { host, engine, engineAt, lock } = opened;
    const signal = fencedSignal(lock, request.signal === undefined ? [] : [request.signal]);
    const layout = hostLayout(hostDirectories(spec), manifest.id, manifest.name);
    const session = { name, spec, host, engine, engineAt, lock, observation: found };
    sessions.set(name, { ...openSession(session, context, layout, signal), signal });
  }
  return sessions;
}

/** Hosts that got the list of the fleet's hosts, and why others did not. */
interface Announced {
  readonly announced: readonly HostSession[];
  readonly silent: ReadonlyMap<string, string>;
}

/**
 * Writes every host of the fleet into every roster before the first change: a host that gets a pod
 * and is never heard of again must be found by the next run. Nothing is changed on one that cannot get it.
 */
async function announceHosts(
  { plan, manifest, observation, options, signal }: RunPlanRequest,
  sessions: ReadonlyMap<string, HostSession>,
): Promise<Announced> {
  const silent = new Map<string, string>();
  if (options.destroy === true) return { announced: [], silent };
  const union: Roster["hosts"] = Object.assign(
    {},
    ...fleetRosters(manifest, options, observation.hosts).map(({ hosts }) => hosts),
    Object.fromEntries(
      Object.entries(manifest.hosts).map(([name, spec]) => [name, rosterEntry(spec)]),
    ),
  );
  for (const name of options.forgetHosts ?? []) {
    if (!(name in manifest.hosts)) delete union[name];
  }
  const renamed = new Set(
    plan.hostChanges
      .filter(({ steps }) => steps.some(({ kind }) => kind === "move-fleet"))
      .map(({ host }) => host),
  );
  const due = [...sessions.values()].filter(
    (session) =>
      session.name in manifest.hosts &&
      // its directory has yet to move; what it holds says where it was
      !renamed.has(session.name) &&
      !includesHosts(heldRoster(session)?.hosts, withOthers(union, session)),
  );
  await mapLimited(due, DEFAULT_PARALLELISM, async (session) => {
    try {
      await session.lock.check();
      await writeRoster(session, withOthers(union, session));
    } catch (error) {
      if (!StowageError.is(error) || signal?.aborted === true) throw error;
      silent.set(
        session.name,
        `its list of the fleet's hosts could not be written: ${error.message}`,
      );
    }
  });
  return { announced: due.filter(({ name }) => !silent.has(name)), silent };
}

/** A host's own roster keeps the engines that the fleet is moved away from there, until nothing is left in them. */
function withOthers(hosts: Roster["hosts"], session: HostSession): Roster["hosts"] {
  const { name, spec, observation, context } = session;
  // engines of other fleets of the host were looked at as well
  const key = `${context.owner}/${context.fleet}`;
  const own = [...observation.rosters].filter(([each]) => each === key);
  const { records } = observation;
  const named = otherEngines({ records, rosters: new Map(own) }, { name, config: spec.engine });
  const ids = new Set(named.map(engineIdentity));
  const others = observation.others.filter(
    ({ kind, config }) => kind === "observed" && ids.has(engineIdentity(config)),
  );
  if (others.length === 0) return hosts;
  return {
    ...hosts,
    [name]: rosterEntry(
      spec,
      others.map(({ config }) => config),
    ),
  };
}

/** Where no step of the plan did it, puts the roster back that was right before the run. */
async function settleHosts(
  announced: readonly HostSession[],
  outcomes: readonly ChangeOutcome[],
): Promise<void> {
  const written = new Set(
    outcomes
      .filter(({ action }) => action === "roster" || action === "leave")
      .map(({ host }) => host),
  );
  for (const session of announced) {
    const held = heldRoster(session);
    if (held === undefined || written.has(session.name)) continue;
    try {
      await session.lock.check();
      await writeRoster(session, held.hosts);
    } catch (error) {
      // the next plan shows it
      if (!StowageError.is(error)) throw error;
    }
  }
}
