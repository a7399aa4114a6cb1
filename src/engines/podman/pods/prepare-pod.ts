import { identityLabels, type PodInstance } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { settleAll } from "../../../internal/index.ts";
import {
  LABEL_CONTAINER,
  LABEL_RECORD,
  objectName,
  type PodIdentity,
  type PodSpec,
} from "../../../model/index.ts";
import { describePod, type PodmanContext } from "../context.ts";
import { withDefaultUlimits } from "../store/machine-facts.ts";
import {
  type ContainerPlan,
  isOfNetwork,
  isPodmanPod,
  planContainers,
  sysctlArguments,
} from "./container-plan.ts";
import { wasStarted } from "./container-state.ts";
import { findGeneration, type Generation, inspectContainers } from "./lists.ts";
import { readChanges } from "./pod-changes.ts";
import { removeContainers, removePod, removePodmanPod } from "./remove-pod.ts";

/**
 * Makes a generation as far as processes that wait to become the user's. What a call that was cut short
 * left of it is gone on with where it is whole, and else taken away first.
 */
export async function preparePod(
  context: PodmanContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (await continuePrepared(context, pod, signal)) return;
  const plans = await planContainers(context, pod);
  signal?.throwIfAborted();
  try {
    await makePod(context, pod, plans, signal);
  } catch (error) {
    // after an abort nobody waits for this: the next pass finds what is left
    if (signal?.aborted === true) throw error;
    await removePod(context, pod.identity, undefined).catch(() => undefined);
    throw error;
  }
}

/** @returns whether the generation is there already; what is there of it otherwise is taken away */
async function continuePrepared(
  context: PodmanContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
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
    await initialize(context, found, signal);
    return true;
  }
  if (found.containers.size > 0 || found.infra !== undefined)
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
  await initContainers(
    context,
    fresh.map(({ Id }) => Id),
    signal,
  );
}

async function makePod(
  context: PodmanContext,
  pod: PodInstance,
  plans: readonly ContainerPlan[],
  signal: AbortSignal | undefined,
): Promise<void> {
  // of a pod that was removed by somebody else: what was changed of that one is not of this one
  await context.host.removeFile(context.files.podFile(pod.identity));
  if (isPodmanPod(pod.spec.containers)) await createPodmanPod(context, pod.identity, pod.spec);
  await settleAll(plans.map((plan) => createContainer(context, plan, signal)));
  await initContainers(
    context,
    plans.map(({ id }) => id),
    signal,
  );
}

/** Makes a container; a rest of one that was cut short gives up its name. */
export async function createContainer(
  context: PodmanContext,
  plan: ContainerPlan,
  signal: AbortSignal | undefined,
): Promise<void> {
  await freeingName(
    async () => {
      const { args, stdin, env } = plan.environment();
      await context.cli.change(["create", ...args, ...plan.args], {
        doing: `make container "${plan.id}"`,
        env,
        ...(args.includes("--env-file") ? { stdin, opensStdin: true } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
    },
    async () => await removeContainers(context, [plan.id]),
  );
}

async function createPodmanPod(
  context: PodmanContext,
  identity: PodIdentity,
  spec: PodSpec,
): Promise<void> {
  const name = objectName(identity);
  const { [LABEL_CONTAINER]: _, ...labels } = identityLabels(identity, "");
  const args = [
    ...["pod", "create", "--name", name, "--share", "net"],
    ...["--network", spec.network?.mode ?? "none"],
    ...Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    ...sysctlArguments(spec, isOfNetwork),
  ];
  const env = await podEnvironment(context);
  await freeingName(
    async () => void (await context.cli.change(args, { doing: `make pod "${name}"`, env })),
    async () => await removePodmanPod(context, name),
  );
}

/** Runs a creation; where its name is taken, by what is none of a pod's, once more. */
async function freeingName(create: () => Promise<void>, free: () => Promise<void>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!StowageError.is(error, "already_exists")) throw error;
    await free();
    await create();
  }
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

/** Makes the namespaces and cgroups of containers, and processes in them that wait. */
export async function initContainers(
  { cli }: PodmanContext,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (ids.length === 0) return;
  await cli.change(["init", ...ids], {
    doing: `prepare ${ids.map((id) => `container "${id}"`).join(", ")}`,
    ...(signal === undefined ? {} : { signal }),
  });
}
