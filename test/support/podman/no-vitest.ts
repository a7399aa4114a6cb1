/** What a story uses of vitest where no test runs: nothing is expected there. */
export function expect(): { toEqual(): void } {
  return { toEqual: () => undefined };
}
