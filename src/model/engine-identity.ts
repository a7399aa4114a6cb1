import { EngineConfig } from "./engine-config.ts";
import { type FieldMeta, fieldMeta } from "./field.ts";

/**
 * What makes an engine another one on its host: its kind, and where its objects lie. Fields that only
 * say how pods are made there are no part of it.
 */
export function engineIdentity(config: EngineConfig): string {
  const places = placesOf(config).map(([name, value]) => `${name}=${value}`);
  return [config.kind, ...places].join(" ");
}

/** Whether two configurations mean the same engine of one host. */
export function isSameEngine(one: EngineConfig, other: EngineConfig): boolean {
  return engineIdentity(one) === engineIdentity(other);
}

/**
 * An engine for people: its kind; beside another one of that kind also what tells them apart.
 *
 * @param beside the engine that it is named beside
 */
export function engineName(config: EngineConfig, beside?: EngineConfig): string {
  if (beside === undefined || beside.kind !== config.kind) return config.kind;
  const others = new Map(placesOf(beside));
  const differ = placesOf(config).filter(([name, value]) => others.get(name) !== value);
  const words = differ.map(([name, value]) => (value === "" ? `no ${name}` : `${name} ${value}`));
  return words.length === 0 ? config.kind : `${config.kind} (${words.join(", ")})`;
}

/** The fields that are part of the identity, with their defaults filled in. */
function placesOf(config: EngineConfig): readonly (readonly [string, string])[] {
  const values: Readonly<Record<string, unknown>> = config;
  return identityFields(config.kind).map(([name, meta]) => [
    name,
    String(values[name] ?? meta.default ?? ""),
  ]);
}

const known = new Map<string, readonly (readonly [string, FieldMeta])[]>();

function identityFields(kind: EngineConfig["kind"]): readonly (readonly [string, FieldMeta])[] {
  const found = known.get(kind);
  if (found !== undefined) return found;
  const schema = EngineConfig.options.find(({ shape }) => shape.kind.value === kind);
  const fields = Object.entries(schema?.shape ?? {}).flatMap(([name, field]) => {
    const meta = fieldMeta(field);
    return meta?.identity === true ? [[name, meta] as const] : [];
  });
  known.set(kind, fields);
  return fields;
}
