/**
 * Goes on with a story, killed one writing call later each time, until two turns in a row were not killed:
 * a story of two directions has no call left then.
 *
 * @param turn is to be killed at its nth call; returns whether it was
 * @returns how often it was
 */
export async function killAtEachCall(turn: (nth: number) => Promise<boolean>): Promise<number> {
  let [kills, undisturbed] = [0, 0];
  for (let nth = 1; undisturbed < 2; nth += 1) {
    if (await turn(nth)) [kills, undisturbed] = [kills + 1, 0];
    else undisturbed += 1;
  }
  return kills;
}
