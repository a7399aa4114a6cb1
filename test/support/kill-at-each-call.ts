import { EVERY_KILL, ONE_OF } from "./every-kill.ts";

/**
 * Goes on with a story, killed one writing call later each time, until two turns in a row were not killed:
 * a story of two directions has no call left then. Where not every kill is wanted, it is some calls later.
 *
 * @param first where several stories cut the same calls, which of them each begins with
 * @param turn is to be killed at its nth call; returns whether it was
 * @param oneOf of so many calls one is cut, where not every kill is wanted: an odd number
 * @returns how often it was
 */
export async function killAtEachCall(
  turn: (nth: number) => Promise<boolean>,
  first = 1,
  oneOf = ONE_OF,
): Promise<number> {
  let [kills, undisturbed] = [0, 0];
  for (let nth = EVERY_KILL ? 1 : first; undisturbed < 2; nth += EVERY_KILL ? 1 : oneOf) {
    if (await turn(nth)) [kills, undisturbed] = [kills + 1, 0];
    else undisturbed += 1;
  }
  return kills;
}
