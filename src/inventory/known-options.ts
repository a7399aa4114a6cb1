import { StowageError } from "../errors/index.ts";
import { closestWord } from "../model/index.ts";

/**
 * Refuses options that nothing is made of, which only TypeScript's own check would tell.
 *
 * @throws StowageError naming the first of them, and the one that was most likely meant
 */
export function refuseUnknown(
  doing: string,
  options: object,
  names: Readonly<Record<string, true>>,
): void {
  const known = Object.keys(names);
  const name = Object.keys(options).find((each) => !Object.hasOwn(names, each));
  if (name === undefined) return;
  const meant = closestWord(name, known);
  const remedy =
    meant === undefined ? `its fields are ${known.join(", ")}` : `did you mean "${meant}"?`;
  throw new StowageError(`Cannot ${doing}: unknown field "${name}"; ${remedy}`, {
    code: "invalid_argument",
  });
}
