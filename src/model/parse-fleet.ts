import { type Diagnostic, DiagnosticsError } from "../errors/index.ts";
import { FleetManifest } from "./fleet.ts";
import { shapeDiagnostics } from "./shape-diagnostics.ts";

/** A manifest, or everything that keeps a value from being one. */
export type FleetReading =
  | { readonly kind: "manifest"; readonly manifest: FleetManifest }
  | { readonly kind: "mistakes"; readonly diagnostics: readonly Diagnostic[] };

/** Reads a value of JSON as a manifest, without the rules between its fields. */
export function readFleet(json: unknown): FleetReading {
  const result = FleetManifest.safeParse(json);
  if (result.success) return { kind: "manifest", manifest: result.data };
  return { kind: "mistakes", diagnostics: shapeDiagnostics(FleetManifest, json) };
}

/**
 * Reads a value of JSON as a manifest, without the rules between its fields: those are
 * `validateFleet`'s.
 *
 * @param what Names the value in the error: `Manifest "fleet.json"`.
 * @throws DiagnosticsError with every mistake at once, each with its path; an unknown field comes
 *   with the name that was probably meant.
 */
export function parseFleet(json: unknown, what: string): FleetManifest {
  const reading = readFleet(json);
  if (reading.kind === "manifest") return reading.manifest;
  throw new DiagnosticsError(what, reading.diagnostics);
}
