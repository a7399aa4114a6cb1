import type { IConstruct } from "constructs";
import type { Diagnostic } from "../errors/index.ts";
import {
  canonicalize,
  FleetManifest,
  type Json,
  readFleet,
  validateFleet,
} from "../model/index.ts";
import { Draft } from "./draft.ts";
import { draftFleet, type FleetIdentity } from "./draft-fleet.ts";
import { findUnresolved } from "./find-unresolved.ts";
import { unknownOptions } from "./options.ts";
import type { FleetScope } from "./scopes.ts";

/** A finding and the construct that has to change. */
export interface Mistake {
  readonly construct: IConstruct;
  readonly severity: Diagnostic["severity"];
  /** What is wrong and the remedy, beginning with the field where there is one. */
  readonly text: string;
}

/** Everything that is known of a declaration without asking any host. */
export interface Assessment {
  /** The manifest in canonical form; absent while there are errors. */
  readonly manifest: Json | undefined;
  readonly mistakes: readonly Mistake[];
}

/** Makes a fleet's manifest and finds everything that is wrong with it, all at once. */
export function assessFleet(
  fleet: FleetScope,
  identity: FleetIdentity,
  problems: readonly Diagnostic[],
): Assessment {
  const draft = new Draft();
  const declared = draftFleet(fleet, identity, draft);
  const unresolved = findUnresolved(declared);
  const reading = readFleet(declared);
  const shape = reading.kind === "manifest" ? [] : reading.diagnostics;
  const looked = reading.kind === "manifest" ? reading.manifest : reading.rough;
  const found = [
    ...problems,
    ...draft.found,
    ...unresolved.map(onlyTerraformKnows),
    // of a value that is not known, nothing else can be said
    ...shape.filter(({ path }) => !unresolved.some((place) => isBelow(path, place))),
    ...(looked === undefined ? [] : validateFleet(looked)),
  ];
  const mistakes = unique([
    ...fleet.node.findAll().flatMap(unknownMistakes),
    ...found.map((each) => toMistake(each, draft, fleet)),
  ]);
  const valid =
    reading.kind === "manifest" && mistakes.every(({ severity }) => severity !== "error");
  // as it was declared: what a network is stands in one place
  const manifest = valid ? canonicalize(FleetManifest, declared as FleetManifest) : undefined;
  return { manifest, mistakes };
}

/** Options of a construct that are in no manifest, as nothing is made of them. */
function unknownMistakes(construct: IConstruct): readonly Mistake[] {
  return unknownOptions(construct).map(({ place, name, remedy }) => ({
    construct,
    severity: "error",
    text: `${place}: unknown field "${name}"; ${remedy}`,
  }));
}

function onlyTerraformKnows(path: string): Diagnostic {
  return {
    severity: "error",
    summary: "only Terraform knows its value, so the manifest would be incomplete",
    detail: "write a value that is known when the app runs",
    path,
  };
}

function toMistake(diagnostic: Diagnostic, draft: Draft, fleet: FleetScope): Mistake {
  const { severity, summary, detail, path } = diagnostic;
  const { construct = fleet, rest } = draft.locate(path);
  const place = rest === "" ? "" : `${rest}: `;
  return {
    construct,
    severity,
    text: `${place}${summary}${detail === undefined ? "" : `; ${detail}`}`,
  };
}

/** A service's mistake comes once for each of its pods. */
function unique(mistakes: readonly Mistake[]): readonly Mistake[] {
  const seen = new Map(mistakes.map((each) => [`${each.construct.node.addr} ${each.text}`, each]));
  return [...seen.values()];
}

function isBelow(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`);
}
