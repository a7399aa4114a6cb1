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
import { isStartedAgain, stayEnded } from "./stay-ended.ts";

/** How often it is looked whether a process has ended. */
const POLL_MS = 20;

/** Time that podman has for a stop beyond the container's own. */
const STOP_MS = 60_000;

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
  const asking: Promise<unknown>[] = [];
  await settleAll(
    members.map(async (each) => {
      const name = names.get(each.Id) ?? "";
      const life = lives.get(each.Id);
      await askToEnd(context, each, { life, asking, asked: options.containers?.[name], signal });
    }),
  );
  const orphaned = all.filter(({ Id }) => lives.get(Id)?.orphan !== undefined);
  await settleAll(orphaned.map(({ Id, Pod }) => endOrphans(context, [Id], Pod || undefined)));
  await endAll(context, identity, all, lives, signal);
  await settleAll(asking);
  await stayEnded(context, members);
}

function idsOf({ containers, infra }: Generation): readonly string[] {
  return [...[...containers.values()], ...(infra === undefined ? [] : [infra])].map(({ Id }) => Id);
}

/** How to ask one container to end. */
interface Asked {
  readonly life: Life | undefined;
  readonly asked: { readonly signal?: string; readonly gracePeriodMs?: number } | undefined;
  /** What runs after the container's time is over. */
  readonly asking: Promise<unknown>[];
  readonly signal: AbortSignal | undefined;
}

async function askToEnd(
  context: PodmanContext,
  container: InspectedContainer,
  { life, asked, asking, signal }: Asked,
): Promise<void> {
  const { gracePeriodMs = STOP_DEFAULTS.gracePeriodMs } = asked ?? {};
  const isAsked = life?.orphan !== undefined || (life?.alive === true && !life.waiting);
  if (!isAsked || gracePeriodMs === 0) return;
  const end = performance.now() + gracePeriodMs;
  // a paused process gets no signal but by going on
  if (container.State.Status === "paused") {
    await context.cli.change(["unpause", container.Id], {
      doing: `stop container "${container.Name}"`,
      ...(signal === undefined ? {} : { signal }),
    });
  }
  signal?.throwIfAborted();
  const isSent = await send(context, container, { life, asked, asking, signal });
  signal?.throwIfAborted();
  // what ended meanwhile cannot be asked; what podman cannot ask is killed
  if (!isSent) return;
  while (performance.now() < end && (await isAlive(context, container, signal))) {
    await pause(Math.min(POLL_MS, Math.max(1, end - performance.now())), signal);
  }
}

/** Sends a container the signal that asks it to end. @returns whether it was sent */
async function send(
  { cli, host }: PodmanContext,
  container: InspectedContainer,
  { life, asked, asking }: Asked,
): Promise<boolean> {
  const { Id, Name, Config } = container;
  const doing = `stop container "${Name}"`;
  const own = signalNumber(String(Config.StopSignal ?? STOP_DEFAULTS.signal));
  const number = asked?.signal === undefined ? own : signalNumber(asked.signal);
  if (life?.orphan !== undefined) {
    return (await host.run(["kill", `-${number}`, `${life.orphan}`])).exitCode === 0;
  }
  if (number !== own || !isStartedAgain(container)) {
    return (await cli.run(["kill", "--signal", `${number}`, Id], { doing })).exitCode === 0;
  }
  // podman does not restart what it stops; what it is asked to kill it may restart
  const { gracePeriodMs = STOP_DEFAULTS.gracePeriodMs } = asked ?? {};
  const args = ["stop", "--time", `${Math.ceil(gracePeriodMs / 1000)}`, Id];
  // where it fails, what comes next does too, and tells
  asking.push(cli.run(args, { doing, timeoutMs: gracePeriodMs + STOP_MS }).catch(() => undefined));
  return true;
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
  // the first try on a container that died with its watcher fails, and repairs it
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
    `Cannot stop ${describePod(identity)}: one of its processes does not end; see what it waits for in the kernel`,
    { code: "unavailable", context: { pod: identity.pod, pid: left.State.Pid } },
  );
}
