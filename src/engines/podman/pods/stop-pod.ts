import { setTimeout as delay } from "node:timers/promises";
import { STOP_DEFAULTS, type StopOptions, signalNumber } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { settleAll } from "../../../internal/index.ts";
import type { PodIdentity } from "../../../model/index.ts";
import type { InspectedContainer } from "../cli/answers.ts";
import { describePod, type PodmanContext } from "../context.ts";
import { type Life, readLives } from "./life.ts";
import { findGeneration, type Generation, inspectContainers } from "./lists.ts";
import { endOrphans } from "./remove-pod.ts";

/** How often it is looked whether a process has ended. */
const POLL_MS = 20;

/**
 * Ends the processes of a generation. podman waits in whole seconds, and for one signal that it was
 * told when the container was made: so the signal is sent, and the end waited for, here.
 */
export async function stopPod(
  context: PodmanContext,
  identity: PodIdentity,
  options: StopOptions,
): Promise<void> {
  const { signal } = options;
  const found = await findGeneration(context, identity, signal);
  const names = new Map([...found.containers].map(([name, { Id }]) => [Id, name]));
  const all = await inspectContainers(context, idsOf(found), signal);
  const lives = await readLives(context.host, all, signal);
  const members = all.filter(({ Id }) => names.has(Id));
  await settleAll(
    members.map(async (each) => {
      const name = names.get(each.Id) ?? "";
      await askToEnd(context, each, lives.get(each.Id), options.containers?.[name], signal);
    }),
  );
  const orphaned = all.filter(({ Id }) => lives.get(Id)?.orphan !== undefined);
  await settleAll(orphaned.map(({ Id, Pod }) => endOrphans(context, [Id], Pod || undefined)));
  await endAll(context, identity, all, lives, signal);
}

function idsOf({ containers, infra }: Generation): readonly string[] {
  return [...[...containers.values()], ...(infra === undefined ? [] : [infra])].map(({ Id }) => Id);
}

async function askToEnd(
  context: PodmanContext,
  container: InspectedContainer,
  life: Life | undefined,
  asked: { readonly signal?: string; readonly gracePeriodMs?: number } | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { gracePeriodMs = STOP_DEFAULTS.gracePeriodMs } = asked ?? {};
  const isAsked = life?.orphan !== undefined || (life?.alive === true && !life.waiting);
  if (!isAsked || gracePeriodMs === 0) return;
  const { Id, Config, State } = container;
  const number = signalNumber(asked?.signal ?? String(Config.StopSignal ?? STOP_DEFAULTS.signal));
  const end = performance.now() + gracePeriodMs;
  const call = {
    doing: `stop container "${container.Name}"`,
    ...(signal === undefined ? {} : { signal }),
  };
  // a paused process gets no signal but by going on
  if (State.Status === "paused") await context.cli.change(["unpause", Id], call);
  signal?.throwIfAborted();
  const sent =
    life.orphan === undefined
      ? await context.cli.run(["kill", "--signal", `${number}`, Id], { doing: call.doing })
      : await context.host.run(["kill", `-${number}`, `${life.orphan}`]);
  signal?.throwIfAborted();
  // what ended meanwhile cannot be asked; what podman cannot ask is killed
  if (sent.exitCode !== 0) return;
  while (performance.now() < end && (await isAlive(context, container, signal))) {
    await pause(Math.min(POLL_MS, Math.max(1, end - performance.now())), signal);
  }
}

async function isAlive(
  { host }: PodmanContext,
  container: InspectedContainer,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const life = (await readLives(host, [container], signal)).get(container.Id);
  return life?.alive === true || life?.orphan !== undefined;
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw StowageError.from(error, "Cannot wait for a process to end");
  }
}

/** States in which a container has nothing that could be stopped. */
const ENDED = ["exited", "stopped"];

/** Kills what is left, the containers that hold namespaces too, and has podman note how all ended. */
async function endAll(
  context: PodmanContext,
  identity: PodIdentity,
  all: readonly InspectedContainer[],
  lives: ReadonlyMap<string, Life>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const doing = `stop ${describePod(identity)}`;
  const ids = all
    .filter(({ State }) => !ENDED.includes(State.Status) && State.Status !== "created")
    .map(({ Id }) => Id);
  if (ids.length === 0) return;
  const args = ["stop", "--time", "0", ...ids];
  signal?.throwIfAborted();
  // the first try on a container that died with its watcher fails, and mends it
  if ((await context.cli.run(args, { doing })).exitCode !== 0) {
    await context.cli.run(args, { doing });
  }
  await confirm(context, all, lives, identity);
}

/** podman says that all was stopped; the kernel says whether it was. */
async function confirm(
  { host }: PodmanContext,
  all: readonly InspectedContainer[],
  lives: ReadonlyMap<string, Life>,
  identity: PodIdentity,
): Promise<void> {
  const alive = all.filter((each) => lives.get(each.Id)?.alive === true);
  const now = await readLives(host, alive, undefined);
  const left = alive.find(({ Id }) => now.get(Id)?.alive === true);
  if (left === undefined) return;
  throw new StowageError(
    `Cannot stop ${describePod(identity)}: a process of it does not end; see what it waits for in the kernel`,
    { code: "unavailable", context: { pod: identity.pod, pid: left.State.Pid } },
  );
}
