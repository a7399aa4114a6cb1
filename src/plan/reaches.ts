/** Whether a change waits for another one, by whatever way. */
export function reaches(
  after: ReadonlyMap<string, ReadonlySet<string>>,
  from: string,
  to: string,
): boolean {
  const seen = new Set([from]);
  for (const id of seen) {
    if (id === to) return true;
    for (const next of after.get(id) ?? []) seen.add(next);
  }
  return false;
}
