import { identityLabels, type PodInstance, type PrepareOptions } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { settleAll } from "../../../internal/index.ts";
import {
  LABEL_CONTAINER,
  LABEL_RECORD,
  objectName,
  type PodIdentity,
} from "../../../model/index.ts";
import { nothingDone } from "../cli/podman-error.ts";
import { describePod, type PodmanContext } from "../context.ts";
import { withDefaultUlimits } from "../store/machine-facts.ts";
import {
  isOfNetwork,
  isPodmanPod,
  joinsNamespace,
  networkArgument,
  planContainers,
  sysctlArguments,
} from "./container-plan.ts";
import { wasStarted } from "./container-state.ts";
import { findGeneration, type Generation, inspectContainers } from "./lists.ts";
import type { PlannedContainer } from "./planned-container.ts";
import { readChanges } from "./pod-changes.ts";
import { removeNamed, removePod } from "./remove-pod.ts";

/**
 * Makes a generation as far as processes that wait to become the user's. One of a single container that
 * is started next is made by its start: podman does both in one command, for half of what two cost.
 *
 * A generation is looked for only where its name is taken. What a call that was interrupted
 * left of it is continued where it is whole, and else removed first.
 */
export async function preparePod(
  context: PodmanContext,
  pod: PodInstance,
  options: PrepareOptions,
): Promise<void> {
  const { signal } = options;
  let plans: readonly PlannedContainer[];
  try {
    plans = await planContainers(context, pod);
    signal?.throwIfAborted();
    if (options.startsNext === true && defer(context, pod, plans)) return;
    await beginPod(context, pod, plans);
  } catch (error) {
    // after an abort nobody waits for this: the next pass finds what is left
    if (signal?.aborted === true) throw error;
    // what is there already needs no image any more
    if (await continuePrepared(context, pod, options)) return;
    if (!StowageError.is(error, "already_exists")) throw error;
    plans = await planContainers(context, pod);
    await freeName(context, pod.identity);
    await beginPod(context, pod, plans);
  }
  await completePod(context, pod, plans, options);
}

/** @returns whether its start will make it */
function defer(
  { deferred }: PodmanContext,
  { identity, recordDigest }: PodInstance,
  plans: readonly PlannedContainer[],
): boolean {
  const [plan, ...others] = plans;
  if (plan === undefined || others.length > 0) return false;
  deferred.set(objectName(identity), { plan, recordDigest });
  return true;
}

/** Makes what the others are made in, under the generation's own name: a podman pod, or its only container. */
async function beginPod(
  context: PodmanContext,
  pod: PodInstance,
  plans: readonly PlannedContainer[],
): Promise<void> {
  if (isPodmanPod(pod.spec.containers)) return await createPodmanPod(context, pod);
  await settleAll(plans.map((plan) => makeContainer(context, "create", plan, undefined)));
}

/** Removes what has a generation's name and is none: rests of what was interrupted. */
export async function freeName(context: PodmanContext, identity: PodIdentity): Promise<void> {
  await removePod(context, identity, undefined);
  await removeNamed(context, objectName(identity));
}

/** Makes the rest of a generation; where that fails nothing is left of it. */
async function completePod(
  context: PodmanContext,
  pod: PodInstance,
  plans: readonly PlannedContainer[],
  { signal, startsNext = false }: PrepareOptions,
): Promise<void> {
  try {
    signal?.throwIfAborted();
    if (isPodmanPod(pod.spec.containers)) {
      await settleAll(plans.map((plan) => remakeContainer(context, plan, signal)));
    }
    await context.host.removeFile(context.files.unfinishedFile(objectName(pod.identity)));
    // of a pod that was removed by somebody else: what was changed of that one is not of this one
    await context.host.removeFile(context.files.podFile(pod.identity));
    const names = plans.map(({ id }) => id);
    if (!startsNext) await initContainers(context, names, signal);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    await removePod(context, pod.identity, undefined).catch(() => undefined);
    throw error;
  }
}

/** @returns whether the generation is there already; what is there of it otherwise is removed */
export async function continuePrepared(
  context: PodmanContext,
  pod: PodInstance,
  { signal, startsNext = false }: PrepareOptions,
): Promise<boolean> {
  const { identity } = pod;
  const found = await findGeneration(context, identity, signal);
  const digests = await digestsOf(context, identity, found, signal);
  const other = digests.find((digest) => digest !== pod.recordDigest);
  if (other !== undefined) {
    throw new StowageError(
      `Cannot prepare ${describePod(identity)}: it exists with another record; use a new generation`,
      { code: "already_exists", context: { pod: identity.pod, found: other } },
    );
  }
  if (Object.keys(pod.spec.containers).every((name) => found.containers.has(name))) {
    if (!startsNext) await initialize(context, found, signal);
    return true;
  }
  const { containers, infra, halfRemoved } = found;
  if (containers.size > 0 || infra !== undefined || halfRemoved.length > 0)
    await removePod(context, identity, signal);
  return false;
}

async function digestsOf(
  context: PodmanContext,
  identity: PodIdentity,
  { containers }: Generation,
  signal: AbortSignal | undefined,
): Promise<readonly (string | undefined)[]> {
  if (containers.size === 0) return [];
  const ids = Object.fromEntries([...containers].map(([name, { Id }]) => [name, Id]));
  const changes = await readChanges(context, identity, ids, signal);
  if (changes !== undefined) return [changes.recordDigest];
  return [...containers.values()].map(({ Labels }) => Labels[LABEL_RECORD]);
}

/** Brings containers that were made and never begun to where they wait. */
async function initialize(
  context: PodmanContext,
  { containers }: Generation,
  signal: AbortSignal | undefined,
): Promise<void> {
  const created = [...containers.values()].filter(({ State }) => State === "created");
  if (created.length === 0) return;
  const ids = created.map(({ Id }) => Id);
  const fresh = (await inspectContainers(context, ids, signal)).filter((each) => !wasStarted(each));
  const names = fresh.map(({ Id }) => Id);
  if (names.length > 0) await initContainers(context, names, signal);
}

async function initContainers(
  context: PodmanContext,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await context.init.ask(names, signal);
  const seen = await inspectContainers(context, names, signal);
  const idle = seen.find(({ State }) => State.Status === "created");
  if (idle !== undefined || seen.length < names.length)
    throw nothingDone(`prepare container "${idle?.Name ?? names.join(" ")}"`, ["init"]);
}

/** What podman prints of a thing that it made. */
const ID = /^[0-9a-f]{64}\s*$/;

/** Makes a container, and runs it where that is asked for. @returns its id */
export async function makeContainer(
  { cli }: PodmanContext,
  command: "create" | "run",
  plan: PlannedContainer,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { args, stdin, env } = plan.environment();
  const doing = `${command === "run" ? "run" : "make"} container "${plan.id}"`;
  const detach = command === "run" ? ["--detach"] : [];
  const id = await cli.change([command, ...detach, ...args, ...plan.args], {
    doing,
    env,
    ...(args.includes("--env-file") ? { stdin, opensStdin: true } : {}),
    ...(signal === undefined ? {} : { signal }),
  });
  if (!ID.test(id)) throw nothingDone(doing, [command]);
  return id.trim();
}

/** Makes a container; a rest of one that was interrupted gives up its name. */
export async function remakeContainer(
  context: PodmanContext,
  plan: PlannedContainer,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await makeContainer(context, "create", plan, signal);
  } catch (error) {
    if (!StowageError.is(error, "already_exists")) throw error;
    await removeNamed(context, plan.id);
    await makeContainer(context, "create", plan, signal);
  }
}

async function createPodmanPod(context: PodmanContext, pod: PodInstance): Promise<void> {
  const { identity, spec } = pod;
  const isHolder = !joinsNamespace(spec);
  if (isHolder && !context.facts.canHoldPods) throw noHolder(identity);
  const name = objectName(identity);
  const { [LABEL_CONTAINER]: _, ...labels } = identityLabels(identity, "");
  const args = [
    // a cgroup of the pod's own is there before podman knows the pod: of one that is killed then, nobody could find it
    ...["pod", "create", "--name", name, "--share-parent=false"],
    ...Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    ...(isHolder
      ? ["--share", "net", "--network", networkArgument(pod), ...sysctlArguments(spec, isOfNetwork)]
      : ["--infra=false", "--share", "none"]),
  ];
  const env = await podEnvironment(context);
  await context.host.writeFile(context.files.unfinishedFile(name), "");
  const doing = `make pod "${name}"`;
  if (!ID.test(await context.cli.change(args, { doing, env }))) throw nothingDone(doing, args);
}

/** podman itself would say so after it has made half of the pod. */
function noHolder(identity: PodIdentity): StowageError {
  return new StowageError(
    `Cannot prepare ${describePod(identity)}: podman pod create needs the program catatonit for a pod of several containers, and it is not there; install the package catatonit on the host`,
    { code: "failed_precondition", context: { pod: identity.pod } },
  );
}

/** A pod takes no flag for the limits of its own container, only a configuration file. */
async function podEnvironment({
  host,
  facts,
  files,
}: PodmanContext): Promise<Readonly<Record<string, string>>> {
  if (facts.ulimits.length === 0) return {};
  const { existing } = await host.snapshot({ exist: [files.containersConf] });
  if (!existing.has(files.containersConf)) {
    await host.writeFile(
      files.containersConf,
      withDefaultUlimits(facts.containersConf, facts.ulimits),
    );
  }
  return { CONTAINERS_CONF: files.containersConf };
}
