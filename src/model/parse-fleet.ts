import { type Diagnostic, DiagnosticsError } from "../errors/index.ts";
import { FleetManifest } from "./fleet.ts";
import { withNetworks } from "./pod-networks.ts";
import { shapeDiagnostics } from "./shape-diagnostics.ts";

/** A manifest, or everything that keeps a value from being one. */
export type FleetReading =
  | { readonly kind: "manifest"; readonly manifest: FleetManifest }
  | {
      readonly kind: "mistakes";
      readonly diagnostics: readonly Diagnostic[];
      /** The value itself where only the content of fields is wrong: rules can be checked too. */
      readonly rough?: FleetManifest;
    };

/** Mistakes that leave every field of the type that it should have. */
const CONTENT_ISSUES = new Set(["custom", "invalid_format", "invalid_key", "too_big", "too_small"]);

/** Reads a value of JSON as a manifest, without the rules between its fields. */
export function readFleet(json: unknown): FleetReading {
  const result = FleetManifest.safeParse(json);
  if (result.success) return { kind: "manifest", manifest: withNetworks(result.data) };
  const diagnostics = shapeDiagnostics(FleetManifest, json);
  const isRough = result.error.issues.every(({ code }) => CONTENT_ISSUES.has(code));
  return { kind: "mistakes", diagnostics, ...(isRough ? { rough: json as FleetManifest } : {}) };
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
