import type { Asked } from "./registry-error.ts";

/** A registry that has been waited for longer than people take for granted. */
export interface RegistryWait {
  readonly registry: string;
  /** What it was asked: `read manifest "1.27" of docker.io/library/nginx`. */
  readonly doing: string;
  /** For how long by now. */
  readonly ms: number;
  /** Time after which it is given up, where nothing comes at all. */
  readonly givenUpMs: number;
}

/** How long to wait for a registry, and when to report that. */
export interface Patience {
  /** In which an answer begins, and in which each of its pieces comes. @defaultValue a minute */
  readonly answerMs?: number;
  /** After which a wait is reported. @defaultValue 5 s */
  readonly tellMs?: number;
  /** After which it is reported again. @defaultValue 20 s */
  readonly tellAgainMs?: number;
}

const USUAL = { answerMs: 60_000, tellMs: 5_000, tellAgainMs: 20_000 } as const;

/** How long is waited where nobody said so. */
export function patienceOf(patience: Patience | undefined): Required<Patience> {
  return { ...USUAL, ...patience };
}

/** Does something that waits for a registry, and tells of it while that takes long. */
export async function tellingWait<T>(
  { domain: registry, doing }: Asked,
  patience: Patience | undefined,
  onWait: ((wait: RegistryWait) => void) | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (onWait === undefined) return await work();
  const { answerMs: givenUpMs, tellMs, tellAgainMs } = patienceOf(patience);
  const began = performance.now();
  const told = (): void => {
    onWait({ registry, doing, ms: performance.now() - began, givenUpMs });
    timer = setTimeout(told, tellAgainMs).unref();
  };
  let timer = setTimeout(told, tellMs).unref();
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** Tells of one wait for a registry where several are for the same one: of that which began first. */
export function onceARegistry(onWait: (wait: RegistryWait) => void): (wait: RegistryWait) => void {
  const told = new Map<string, number>();
  return (wait) => {
    const before = told.get(wait.registry);
    const now = performance.now();
    // what began a little later is reported a little later, each time
    if (before !== undefined && now - before < Math.min(wait.ms, USUAL.tellMs)) return;
    told.set(wait.registry, now);
    onWait(wait);
  };
}
