import type { PodInstance, StopOptions } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import {
  filesDirName,
  generationDigest,
  hasFiles,
  type ObservedPod,
  type PodIdentity,
  type PodSpec,
  type RecordedGeneration,
  startStages,
} from "../../model/index.ts";
import { type PodChange, podsOnHost, type Step } from "../../plan/index.ts";
import { drainPod } from "../health/drain-pod.ts";
import { stayHealthy } from "../health/stay-healthy.ts";
import { waitCompleted } from "../health/wait-completed.ts";
import { waitHealthy } from "../health/wait-healthy.ts";
import { handRecords } from "../history/hand-records.ts";
import { clearEnvironment } from "../secrets/secrets.ts";
import { handedImage } from "./bring-image.ts";
import { type HostSession, sessionAt } from "./host-session.ts";
import { startInOrder } from "./start-in-order.ts";

/** A pod's change as its steps see it. */
export interface StepContext {
  readonly session: HostSession;
  readonly change: PodChange;
  /** What the steps lead to: the change's `to`, or its `from` while it is rolled back. */
  readonly target: RecordedGeneration | undefined;
  /** Told of a container that could not be drained as it wants. */
  readonly onDrain?: (container: string, problem: string) => void;
}

/** Runs one step of a pod's change; the lock was checked. */
export async function runPodStep(context: StepContext, step: Step): Promise<void> {
  const { change } = context;
  const session = await sessionAt(context.session, "engine" in step ? step.engine : undefined);
  const { engine, records, signal } = session;
  const options = { signal };
  switch (step.kind) {
    case "create-volume":
      // pods that share it make it at the same time
      return await session.alone(() => createVolume(session, step));
    case "prepare":
      await records.announce(change, generationOf(context, step.generation), options);
      await writeFiles(context, step.generation);
      return await engine.prepare(instanceOf(context, step.generation), {
        ...options,
        startsNext: startsNext(context, step.generation),
      });
    case "write-files":
      return await writeFiles(context, step.generation);
    case "start":
      return await startInOrder(session, instanceOf(context, step.generation), {
        ...(step.containers === undefined ? {} : { containers: step.containers }),
        ...(step.again === true ? { again: true } : {}),
        ...(step.aside === true ? { aside: true } : {}),
      });
    case "take-ports":
      return await engine.start(instanceOf(context, step.generation), {
        ...options,
        containers: [],
      });
    case "stop":
      return await engine.stop(
        identityOf(context, step.generation),
        stopOptions(context, step.generation),
      );
    case "drain": {
      const { spec } = generationOf(context, step.generation);
      return await drainPod(
        session,
        identityOf(context, step.generation),
        spec,
        (container, problem) => context.onDrain?.(container, problem),
      );
    }
    case "update":
      return await engine.update(instanceOf(context, step.generation), options);
    case "wait-healthy":
      return await proveHealthy({ ...context, session }, step);
    case "wait-completed":
      return await proveCompleted({ ...context, session }, step.generation);
    case "commit": {
      const isAltered = change.steps.some(({ kind }) => kind === "prepare");
      const proven = generationOf(context, step.generation);
      const isNew = isAltered && proven.generation === change.to?.generation;
      return await records.commit(change, proven, { isAltered: isNew, keep: step.keep }, options);
    }
    case "remove":
      return await removeGeneration({ ...context, session }, step.generation);
    case "hand-records":
      return await handRecords(hostOf(context, step.from), hostOf(context, step.to), change.pod);
    case "forget":
      return await records.forget(change, options);
    default:
      throw notOurs(change.id, step);
  }
}

async function proveCompleted(context: StepContext, generation: number): Promise<void> {
  const { session } = context;
  const { spec } = generationOf(context, generation);
  const identity = identityOf(context, generation);
  const names = Object.keys(spec.containers);
  await Promise.all(names.map((name) => waitCompleted(session, identity, spec, name)));
}

/** Another host of the same apply. @throws StowageError `unavailable` where it is not worked on */
function hostOf({ session }: StepContext, host: string): HostSession {
  const found = session.context.sessions.get(host);
  if (found !== undefined) return found;
  throw new StowageError(
    `Cannot hand the records of a pod over: host ${host} is not reached; apply again when it is`,
    { code: "unavailable", context: { host } },
  );
}

async function proveHealthy(
  context: StepContext,
  { generation, forMs }: Step & { readonly kind: "wait-healthy" },
): Promise<void> {
  const { spec } = generationOf(context, generation);
  const identity = identityOf(context, generation);
  await waitHealthy(context.session, identity, spec);
  if (forMs !== undefined) await stayHealthy(context.session, identity, spec, forMs);
}

/** Whether a generation is started without another being stopped for it, and all of it at once. */
function startsNext(context: StepContext, generation: number): boolean {
  const { steps } = context.change;
  if (startStages(generationOf(context, generation).spec).length > 1) return false;
  const next = steps.find(
    (step) => step.kind === "stop" || (step.kind === "start" && step.generation === generation),
  );
  return next?.kind === "start";
}

/** A generation that the change makes has the declared identity; all others keep the one they were made under. */
export function identityOf({ session, change }: StepContext, generation: number): PodIdentity {
  const { owner, fleet } = session.context;
  const { pod, origin, fresh, host } = change;
  if (generation === fresh) return { owner, fleet, host, pod, generation };
  const found = podsOnHost(session.observation).find(
    (each) =>
      each.pod.pod === pod &&
      each.pod.generation === generation &&
      [owner, origin.owner].includes(each.pod.owner) &&
      [fleet, origin.fleet].includes(each.pod.fleet),
  )?.pod;
  const made = found === undefined ? origin : identityPart(found);
  return { ...made, pod, generation };
}

function identityPart({ owner, fleet, host }: ObservedPod): PodChange["origin"] {
  return { owner, fleet, host };
}

/**
 * Writes the files of a generation. Of one that was applied before, a secret has to be the one that it
 * was applied with.
 */
async function writeFiles(context: StepContext, generation: number): Promise<void> {
  const { session, change } = context;
  const recorded = generationOf(context, generation);
  await session.files.write(
    identityOf(context, generation),
    generation === change.fresh ? { spec: recorded.spec } : recorded,
    session.records.salt(change),
    { signal: session.signal },
  );
}

/** Files first: what the engine still has is found by the next plan, and removed again. */
export async function removeGeneration(context: StepContext, generation: number): Promise<void> {
  const { engine, files, observation, signal } = context.session;
  const identity = identityOf(context, generation);
  const name = filesDirName(identity);
  const made = generation === context.change.fresh && context.change.to !== undefined;
  const isSeen = observation.files?.directories.some((each) => each.name === name) === true;
  if (isSeen || (made && hasFiles(context.change.to?.spec as PodSpec))) {
    await files.remove(identity, name, { signal });
  }
  await engine.remove(identity, { signal });
}

async function createVolume(
  { host, layout, signal }: HostSession,
  step: Step & { kind: "create-volume" },
): Promise<void> {
  const { volume, mode, uid, gid } = step;
  await host.makeDirectory(
    layout.volumeDir(volume),
    {
      mode: Number.parseInt(mode, 8),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    },
    { signal },
  );
}

function generationOf(
  { change, target, session }: StepContext,
  generation: number,
): RecordedGeneration {
  const found = [target, change.to, change.from].find((each) => each?.generation === generation);
  const known = found ?? session.records.generation(change, generation);
  if (known !== undefined && generation === change.fresh) return withHanded(session, known);
  if (known !== undefined) return known;
  throw new StowageError(
    `Cannot change pod "${change.pod}": nothing is known of its generation ${generation}; make a new plan`,
    { code: "internal", context: { id: change.id, generation } },
  );
}

function withHanded(session: HostSession, made: RecordedGeneration): RecordedGeneration {
  if (session.handedOver.size === 0) return made;
  const images = Object.entries(made.images).map(([container, image]) => [
    container,
    handedImage(session, image),
  ]);
  return { ...made, images: Object.fromEntries(images) };
}

function instanceOf(context: StepContext, generation: number): PodInstance {
  const { session } = context;
  const recorded = generationOf(context, generation);
  const { spec, images } = recorded;
  const identity = identityOf(context, generation);
  const environment = clearEnvironment(spec, session.context.secrets);
  const volumeDirs = Object.entries(spec.volumes ?? {}).flatMap(([name, volume]) =>
    volume.kind === "named" ? [[name, session.layout.volumeDir(volume.name)] as const] : [],
  );
  return {
    identity,
    spec: session.files.mounted(identity, spec),
    images,
    recordDigest: generationDigest(recorded),
    volumeDirs: Object.fromEntries(volumeDirs),
    ...(environment === undefined ? {} : { environment }),
  };
}

/** How its containers want to be stopped, as it was applied and not as it is declared now. */
function stopOptions(context: StepContext, generation: number): StopOptions {
  const { session, change } = context;
  // once the new one is committed, the record does not hold the old one any more
  const known = [change.from, change.to].find((each) => each?.generation === generation);
  const spec = (session.records.generation(change, generation) ?? known)?.spec;
  const containers = Object.entries(spec?.containers ?? {}).map(([name, container]) => {
    const { stopSignal, stopGracePeriodMs } = container;
    return [
      name,
      {
        ...(stopSignal === undefined ? {} : { signal: stopSignal }),
        ...(stopGracePeriodMs === undefined ? {} : { gracePeriodMs: stopGracePeriodMs }),
      },
    ] as const;
  });
  return { containers: Object.fromEntries(containers), signal: session.signal };
}

function notOurs(id: string, { kind }: Step): StowageError {
  return new StowageError(`Cannot run step "${kind}" of ${id}: it is no step of a pod`, {
    code: "internal",
  });
}
