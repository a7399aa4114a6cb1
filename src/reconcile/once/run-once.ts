import { randomBytes } from "node:crypto";
import { type ExecStreams, type LogLine, processArguments } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { anySignal } from "../../internal/index.ts";
import {
  type AppliedImage,
  type ContainerSpec,
  type FleetManifest,
  type HostSpec,
  type OneOff,
  oneOffName,
  oneOffPod,
  type PodIdentity,
  type PodSpec,
  waitingPod,
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
import { followToEnd } from "./follow-to-end.ts";

/** Where the output of a run goes. */
export type OnceOutput =
  | {
      readonly kind: "lines";
      /** Told each line, stdout and stderr as one; slow as it may be, no further one is read meanwhile. */
      readonly onLine: (line: LogLine) => Promise<void>;
    }
  | {
      /** It is run as a command in a container that waits: its image has to have a `sleep`. */
      readonly kind: "streams";
      /** Asked for once, when it runs, and disposed of at its end. */
      readonly streams: () => ExecStreams & Disposable;
    };

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
  /** Where its output goes, and what it reads. */
  readonly output: OnceOutput;
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
 * @throws DiagnosticsError when it cannot run on that host, or a secret is not available
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
      const identity = await begin({ ...run, audited: asked.command }, change, request.output);
      return await toItsEnd(request, { identity, change, locked });
    } finally {
      await takeAway(request, under);
    }
  });
}

/** A pod that was made and started for a single run. */
interface Made {
  readonly identity: PodIdentity;
  readonly change: MakingChange;
  readonly locked: LockedHosts;
}

/** @returns the exit code of what is run, once it has ended */
async function toItsEnd(request: RunOnceRequest, made: Made): Promise<number> {
  const { host, output, onStarted, draining, signal } = request;
  const open = made.locked.get(host);
  if (open === undefined) throw new Error(`Host ${host} is not open`);
  const { engine, lock } = open;
  const { identity } = made;
  const { container } = request.once;
  const stop = anySignal([lock.signal, draining, signal].filter((each) => each !== undefined));
  if (output.kind === "lines") {
    onStarted();
    return await followToEnd({ engine, identity, container, signal: stop }, output.onLine);
  }
  const image = made.change.to.images[container] as AppliedImage;
  const defaults = await engine.imageDefaults(image, { signal: stop });
  const { args } = processArguments(onceContainer(request), defaults);
  onStarted();
  using streams = output.streams();
  const { exitCode } = await engine.exec(identity, container, args, { signal: stop, streams });
  return exitCode;
}

interface UnderLock {
  readonly asked: ApplyFleetRequest;
  readonly name: string;
  readonly locked: LockedHosts;
  readonly store: ImageStore;
}

/** The fleet with the pod in it. */
function withOneOff(request: RunOnceRequest, name: string): FleetManifest {
  const { manifest, host, output, once } = request;
  const spec = manifest.hosts[host] as HostSpec;
  const made = oneOffPod(declaredPod(request), once);
  const pod = output.kind === "lines" ? made : waitingPod(made, once.container);
  const hosts = { ...manifest.hosts, [host]: { ...spec, pods: { ...spec.pods, [name]: pod } } };
  return { ...manifest, hosts };
}

/** The container as it is to be run. */
function onceContainer(request: RunOnceRequest): ContainerSpec {
  const { once } = request;
  return oneOffPod(declaredPod(request), once).containers[once.container] as ContainerSpec;
}

function declaredPod({ manifest, host, pod }: RunOnceRequest): PodSpec {
  const declared = manifest.hosts[host]?.pods?.[pod];
  if (declared === undefined) throw new Error(`There is no pod ${host}/${pod} to be run once`);
  return declared;
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
async function begin(
  run: RunPlanRequest,
  { host, pod, to }: MakingChange,
  { kind }: OnceOutput,
): Promise<PodIdentity> {
  const { outcomes } = await runPlan(run);
  run.draining?.throwIfAborted();
  const failed = outcomes.find(({ status }) => status !== "done");
  if (failed !== undefined) {
    const { reason = failed.status } = failed;
    const waits = kind === "streams" && /\bsleep\b/.test(reason);
    const remedy = "; with -i or -t the image must contain sleep: leave them out";
    throw notRun(pod, host, waits ? reason + remedy : reason);
  }
  const { id: owner, name: fleet } = run.manifest;
  return { owner, fleet, host, pod, generation: to.generation };
}

function notRun(pod: string, host: string | undefined, reason: string): StowageError {
  return new StowageError(`Cannot run a command once on host "${host ?? ""}": ${reason}`, {
    code: "failed_precondition",
    context: { pod },
  });
}

/** Removes the pod, even a half-made one; what cannot be removed now is reported. */
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
