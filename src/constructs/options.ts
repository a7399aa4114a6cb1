import { Construct } from "constructs";
import { closestWord } from "../model/index.ts";

/** Names of all options of a kind: the compiler sees that none is left out and none too many. */
export type OptionNames<T> = { readonly [K in keyof Required<T>]: true };

/** An option that nothing is made of. */
export interface UnknownOption {
  /** Where it stands in what was passed: `resources.memry`. */
  readonly place: string;
  readonly name: string;
  readonly remedy: string;
}

/** What was passed to constructs and values and means nothing, which only TypeScript's own check would tell. */
const found = new WeakMap<object, UnknownOption[]>();

/**
 * Notes options that are not among the known ones; synthesis reports them at the construct that they reach.
 *
 * @param owner the construct, or the value that one may be given
 * @param place where the options stand in what the owner was given
 */
export function checkOptions<T extends object>(
  owner: object,
  options: T | undefined,
  names: OptionNames<T>,
  place = "",
): void {
  const known = Object.keys(names);
  for (const name of Object.keys(options ?? {})) {
    if (Object.hasOwn(names, name)) continue;
    const meant = closestWord(name, known);
    const remedy =
      meant === undefined ? `its fields are ${known.join(", ")}` : `did you mean "${meant}"?`;
    note(owner, [{ place: joined(place, name), name, remedy }]);
  }
}

/** Notes what was found in a value, at the place that the owner has it; a construct reports its own. */
export function checkValue(owner: object, value: unknown, place: string): void {
  if (typeof value !== "object" || value === null || Construct.isConstruct(value)) return;
  note(
    owner,
    (found.get(value) ?? []).map((each) => ({ ...each, place: joined(place, each.place) })),
  );
}

/** What was found of a construct and of the values that it has. */
export function unknownOptions(owner: object): readonly UnknownOption[] {
  return found.get(owner) ?? [];
}

function note(owner: object, more: readonly UnknownOption[]): void {
  if (more.length > 0) found.set(owner, [...(found.get(owner) ?? []), ...more]);
}

function joined(place: string, name: string): string {
  return place === "" ? name : `${place}.${name}`;
}
