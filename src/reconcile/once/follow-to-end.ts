import { setTimeout as sleep } from "node:timers/promises";
import type { Engine, LogLine } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { anySignal } from "../../internal/index.ts";
import { objectName, type PodIdentity } from "../../model/index.ts";

/** Between two looks whether it has ended. */
const LOOK_MS = 250;
const FIRST_LOOK_MS = 25;
const PAUSE_MAX_MS = 5_000;
/** Time that a host or an engine which was there is waited for; what runs there is none the worse for it. */
const PATIENCE_MS = 60_000;
/** Times that the rest of a log is asked for again when its process has ended. */
const TRIES_AFTER_END = 3;

/** A container that runs to its end. */
export interface Followed {
  readonly engine: Engine;
  readonly identity: PodIdentity;
  readonly container: string;
  /** Has it given up. */
  readonly signal: AbortSignal;
}

/**
 * Passes on each line of a container until its process has ended.
 *
 * @returns its exit code
 * @throws StowageError `unavailable` when that is not known
 */
export async function followToEnd(
  followed: Followed,
  onLine: (line: LogLine) => Promise<void>,
): Promise<number> {
  const failed = new AbortController();
  const ended = new AbortController();
  const signal = anySignal([failed.signal, followed.signal]);
  const output = passOn({ ...followed, signal }, ended.signal, onLine);
  const end = exitCodeOf({ ...followed, signal }).finally(() => ended.abort());
  try {
    const [code] = await Promise.all([end, output]);
    return code;
  } finally {
    // the one that failed has the other one given up, and waited for
    failed.abort();
    await Promise.allSettled([end, output]);
  }
}

/** Each line once; asked for again, for as long as its process is looked at, where that is interrupted. */
async function passOn(
  { engine, identity, container, signal }: Followed,
  ended: AbortSignal,
  onLine: (line: LogLine) => Promise<void>,
): Promise<void> {
  let told = 0;
  let triesAfterEnd = 0;
  const isEnough = (): boolean => {
    if (ended.aborted) triesAfterEnd += 1;
    return triesAfterEnd > TRIES_AFTER_END;
  };
  await patiently(signal, isEnough, async () => {
    let nth = 0;
    for await (const line of engine.logs(identity, container, { follow: true, ended, signal })) {
      nth += 1;
      if (nth <= told) continue;
      told = nth;
      await onLine(line);
    }
  });
}

/** Waits for the end of its process. */
async function exitCodeOf({ engine, identity, container, signal }: Followed): Promise<number> {
  const options = { podsOnly: true, statesOnly: true, only: [identity], signal };
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(pauseMs * 2, LOOK_MS)) {
    const begun = performance.now();
    const isEnough = (): boolean => performance.now() - begun > PATIENCE_MS;
    const { pods } = await patiently(signal, isEnough, () => engine.observe(options));
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

/** Begins again what fails because its host or engine is away, for a while. */
async function patiently<T>(
  signal: AbortSignal,
  isEnough: () => boolean,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let pauseMs = LOOK_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
    try {
      return await attempt();
    } catch (error) {
      const isPassing =
        StowageError.is(error, "unavailable") || StowageError.is(error, "deadline_exceeded");
      if (!isPassing || isEnough()) throw error;
    }
    await sleep(pauseMs, undefined, { signal });
  }
}
