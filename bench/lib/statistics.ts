/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("Cannot take a median: there is no value");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Two times that were measured one right after the other. */
export interface Pair {
  readonly oursMs: number;
  readonly theirsMs: number;
}

/** Median of the ratios within the pairs: what slows the machine down slows both of a pair down. */
export function medianRatio(pairs: readonly Pair[]): number {
  return median(pairs.map(({ oursMs, theirsMs }) => oursMs / theirsMs));
}

/**
 * Measures two things side by side, `count` times; each goes first in every second pair.
 *
 * @param ours and theirs: each returns the milliseconds that it took
 */
export async function measurePairs(
  count: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (let index = 0; index < count; index += 1) {
    if (index % 2 === 0) {
      const oursMs = await ours();
      pairs.push({ oursMs, theirsMs: await theirs() });
    } else {
      const theirsMs = await theirs();
      pairs.push({ oursMs: await ours(), theirsMs });
    }
  }
  return pairs;
}
