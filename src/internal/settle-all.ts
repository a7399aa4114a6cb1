/**
 * Waits until all have ended, whatever becomes of them.
 *
 * Nothing is still running when the failure is thrown.
 *
 * @throws the first failure, in their order
 */
export async function settleAll<T>(tasks: Iterable<Promise<T>>): Promise<T[]> {
  const results = await Promise.allSettled(tasks);
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}
