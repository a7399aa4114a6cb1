import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine, LogLine } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { anySignal } from "../../internal/index.ts";
import {
  type FleetManifest,
  type OneOff,
  objectName,
  oneOffName,
  oneOffPod,
  type PodIdentity,
} from "../../model/index.ts";
import type { Plan, PodChange } from "../../plan/index.ts";
import { withLockedHosts } from "../apply-fleet.ts";
import type { ApplyFleetRequest } from "../apply-request.ts";
import type { ImageStore } from "../images/image-store.ts";
import type { LockedHosts } from "../locked-hosts.ts";
import { observeFleet } from "../observe/observe-fleet.ts";
import { planObserved } from "../plan-fleet.ts";
import { type RunPlanRequest, runPlan } from "../run-plan.ts";
import { SecretValues } from "../secrets/secret-values.ts";
import { requireSecrets } from "../secrets/secrets.ts";

/** Between two looks whether it has ended. */
const LOOK_MS = 250;
const FIRST_LOOK_MS = 25;

/** What to run once, beside the pod that it is made after. */
export interface RunOnceRequest
  extends Pick<
    ApplyFleetRequest,
    | "manifest"
    | "manifestDir"
    | "connector"
    | "lockFile"
    | "registries"
    | "environment"
    | "parallelism"
    | "appliedBy"
    | "lockTimeoutMs"
    | "lockLifeMs"
    | "onEvent"
    | "draining"
    | "signal"
  > {
  readonly host: string;
  readonly pod: string;
  readonly once: OneOff;
  /** Told each line of its output; slow as it may be, no further one is read meanwhile. */
  readonly onLine: (line: LogLine) => Promise<void>;
  /** Told once, when it runs: what is heard from now on is its output. */
  readonly onStarted: () => void;
  /** Told why its pod is left, by the pod's name. */
  readonly onLeft: (pod: string, reason: string) => void;
}

/**
 * Runs one container of a declared pod once, in a pod of its own that goes again: with the pod's image, environment,
 * secrets, files, volumes and network as they are declared now. The host's lock is held all the while.
 *
 * One that is killed leaves a pod that no declaration has: it runs to its end, and the next apply takes it away.
 *
 * @returns the exit code of its process
 * @throws DiagnosticsError when it cannot be had on that host, or a secret is not at hand
 * @throws StowageError `aborted` when the lock is not free in time; `failed_precondition` when it could not be
 *   started; `unavailable` when its exit code is not known
 */
export async function runOnce(request: RunOnceRequest): Promise<number> {
  const name = oneOffName(request.pod, randomBytes(3).toString("hex"));
  const asked: ApplyFleetRequest = {
    ...request,
    manifest: withOneOff(request, name),
    options: { hosts: [request.host], pods: [name], despitePauses: true },
    command: "run",
    confirm: async () => true,
  };
  return await withLockedHosts(asked, async (locked, observation, store) => {
    const under = { asked, name, locked, store };
    const secrets = new SecretValues(asked);
    const plan = await planObserved({ ...asked, secrets }, observation, store);
    const change = await changeOf(plan, name, secrets);
    // from here on there may be something of it
    try {
      const run = { ...asked, plan, locked, observation, store, secrets };
      const identity = await begin({ ...run, audited: asked.command }, change);
      return await follow(request, identity, locked);
    } finally {
      await takeAway(request, under);
    }
  });
}

interface UnderLock {
  readonly asked: ApplyFleetRequest;
  readonly name: string;
  readonly locked: LockedHosts;
  readonly store: ImageStore;
}

function withOneOff({ manifest, host, pod, once }: RunOnceRequest, name: string): FleetManifest {
  const spec = manifest.hosts[host];
  const declared = spec?.pods?.[pod];
  if (spec === undefined || declared === undefined)
    throw new Error(`There is no pod ${host}/${pod} to be run once`);
  const pods = { ...spec.pods, [name]: oneOffPod(declared, once) };
  return { ...manifest, hosts: { ...manifest.hosts, [host]: { ...spec, pods } } };
}

/** What makes the pod. @throws StowageError `failed_precondition` where its host is not reached */
async function changeOf(plan: Plan, name: string, secrets: SecretValues): Promise<MakingChange> {
  await requireSecrets(plan.pods, secrets);
  const change = plan.pods.find(({ pod }) => pod === name);
  if (change?.to !== undefined) return { ...change, to: change.to };
  const [held] = plan.hostChanges;
  throw notRun(name, held?.host, held?.text ?? "nothing is planned for it");
}

type MakingChange = PodChange & Required<Pick<PodChange, "to">>;

/** Makes and starts the pod. */
async function begin(run: RunPlanRequest, { host, pod, to }: MakingChange): Promise<PodIdentity> {
  const { outcomes } = await runPlan(run);
  run.draining?.throwIfAborted();
  const failed = outcomes.find(({ status }) => status !== "done");
  if (failed !== undefined) throw notRun(pod, host, failed.reason ?? failed.status);
  const { id: owner, name: fleet } = run.manifest;
  return { owner, fleet, host, pod, generation: to.generation };
}

function notRun(pod: string, host: string | undefined, reason: string): StowageError {
  return new StowageError(`Cannot run a command once on host "${host ?? ""}": ${reason}`, {
    code: "failed_precondition",
    context: { pod },
  });
}

/** Passes on what it writes until it has ended. */
async function follow(
  { host, once, onLine, onStarted, draining, signal }: RunOnceRequest,
  identity: PodIdentity,
  locked: LockedHosts,
): Promise<number> {
  const open = locked.get(host);
  if (open === undefined) throw new Error(`Host ${host} is not open`);
  onStarted();
  const { engine, lock } = open;
  const failed = new AbortController();
  const stop = anySignal(
    [failed.signal, lock.signal, draining, signal].filter((each) => each !== undefined),
  );
  const ended = new AbortController();
  const options = { follow: true, ended: ended.signal, signal: stop };
  const output = passOn(engine.logs(identity, once.container, options), onLine);
  const end = exitCodeOf(engine, identity, once.container, stop).finally(() => ended.abort());
  try {
    const [code] = await Promise.all([end, output]);
    return code;
  } finally {
    // the one that failed has the other one given up, and waited for
    failed.abort();
    await Promise.allSettled([end, output]);
  }
}

async function passOn(lines: AsyncIterable<LogLine>, onLine: RunOnceRequest["onLine"]) {
  for await (const line of lines) await onLine(line);
}

/** Waits for the end of its process. */
async function exitCodeOf(
  engine: Engine,
  identity: PodIdentity,
  container: string,
  signal: AbortSignal,
): Promise<number> {
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(pauseMs * 2, LOOK_MS)) {
    const options = { podsOnly: true, statesOnly: true, only: [identity], signal };
    const { pods } = await engine.observe(options);
    const seen = pods.find((pod) => objectName(pod) === objectName(identity))?.containers[
      container
    ];
    if (seen?.state === "exited" && seen.exitCode !== undefined) return seen.exitCode;
    if (seen?.state !== "running" && seen?.state !== "unknown")
      throw new StowageError(
        `Cannot tell how ${identity.pod} ended: it is ${seen === undefined ? "gone" : `${seen.state}, its exit code is not known`}`,
        { code: "unavailable", context: { pod: identity.pod } },
      );
    await sleep(pauseMs, undefined, { signal });
  }
}

/** Takes the pod away, also one that is half made; what cannot be taken away now is told. */
async function takeAway(
  { manifest, signal, onLeft }: RunOnceRequest,
  { asked, name, locked, store }: UnderLock,
): Promise<void> {
  // the first Ctrl-C ends the run, and this is its end
  const { draining: _, ...rest } = asked;
  const again = { ...rest, manifest };
  try {
    const secrets = new SecretValues(again);
    const observation = await observeFleet({
      ...again,
      onProgress: undefined,
      reach: (host, spec) => locked.open(host, spec),
    });
    const plan = await planObserved({ ...again, secrets }, observation, store);
    if (plan.pods.length === 0) return;
    const run = { ...again, plan, locked, observation, store, secrets, onEvent: () => {} };
    const { outcomes } = await runPlan({ ...run, audited: asked.command });
    const failed = outcomes.find(({ status }) => status !== "done");
    if (failed !== undefined) onLeft(name, failed.reason ?? failed.status);
  } catch (error) {
    if (!StowageError.is(error) && signal?.aborted !== true) throw error;
    onLeft(name, error instanceof Error ? error.message : String(error));
  }
}
