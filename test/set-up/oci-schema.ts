import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { default as DraftFour, ValidateFunction } from "ajv-draft-04";
import { OCI_SCHEMA } from "../../scripts/lib/system-packages.ts";
import { isRequiredEngine } from "./required-engines.ts";

/** Why tests against the schema are skipped; undefined where they run. */
export function whyNoOciSchema(): string | undefined {
  if (existsSync(OCI_SCHEMA) || isRequiredEngine("oci-schema")) return undefined;
  return `${OCI_SCHEMA} is not there; npm run set-up installs it`;
}

// its types say that its default export is to be had by an import, which Node does not find
const Ajv = createRequire(import.meta.url)("ajv-draft-04") as typeof DraftFour.default;

type Schema = Readonly<Record<string, unknown>>;

/**
 * Validators of the OCI runtime specification's schema: of a whole configuration, and of parts of one.
 *
 * The schema lets pass what it does not know; here that fails too, since nothing but a runtime's silence
 * would tell of a name that is written wrong.
 */
export function ociValidators() {
  const ajv = new Ajv({ allErrors: true, strict: false, logger: false });
  const folder = dirname(OCI_SCHEMA);
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".json"))) {
    const { id: _, ...schema } = JSON.parse(readFileSync(join(folder, name), "utf8")) as Schema;
    ajv.addSchema(closed(schema) as Schema, name);
  }
  const at = (reference: string): ValidateFunction => ajv.compile({ $ref: reference });
  return {
    config: at("config-schema.json"),
    process: at("config-schema.json#/properties/process"),
    resources: at("config-linux.json#/linux/properties/resources"),
  };
}

/** A schema that takes no other properties than those that it names. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const inside = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value)]),
  );
  const names = inside["properties"];
  const isObject = inside["type"] === "object" && typeof names === "object" && names !== null;
  return isObject && !("allOf" in inside) ? { additionalProperties: false, ...inside } : inside;
}
