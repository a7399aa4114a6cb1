import type { Construct, IConstruct } from "constructs";
import type { FleetDefaults } from "./defaults.ts";

const SCOPE = Symbol.for("stowage/scope");

/** What constructs are looked up as by those below them. */
export type ScopeKind = "fleet" | "host" | "pod";

/** A fleet as the constructs in it see it. */
export interface FleetScope extends Construct {
  readonly fleetName: string;
  readonly defaults: FleetDefaults;
  /** What is wrong with one construct, in words. */
  mistakesAt(construct: IConstruct): readonly string[];
}

/** Makes a construct one that {@link requireScope} finds. */
export function markScope(construct: Construct, kind: ScopeKind): void {
  Object.defineProperty(construct, SCOPE, { value: kind });
}

/**
 * The nearest construct of a kind that another is in.
 *
 * @throws Error when there is none, naming the construct and where it belongs.
 */
export function requireScope(construct: Construct, kind: "fleet"): FleetScope;
export function requireScope(construct: Construct, kind: ScopeKind): Construct;
export function requireScope(construct: Construct, kind: ScopeKind): Construct {
  const found = construct.node.scopes
    .slice(0, -1)
    .findLast((scope) => (scope as { readonly [SCOPE]?: ScopeKind })[SCOPE] === kind);
  if (found !== undefined) return found as Construct;
  const [noun, remedy] = {
    fleet: ["fleet", "pass a Fleet as its scope"],
    host: ["host", "pass a Host as its scope, or use a Service for pods on several hosts"],
    pod: ["pod", "pass a Pod or a Service as its scope"],
  }[kind];
  const what = construct.constructor.name;
  throw new Error(`Cannot make ${what} "${construct.node.path}": it is in no ${noun}; ${remedy}`);
}

/** Lets a construct report, when it is validated, what is wrong with it. */
export function reportMistakes(construct: Construct): void {
  const fleet = requireScope(construct, "fleet");
  construct.node.addValidation({ validate: () => [...fleet.mistakesAt(construct)] });
}
