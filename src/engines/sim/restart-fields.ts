import { type ChangeVerdict, ContainerSpec, fieldMeta } from "../../model/index.ts";

/** What a container runs with once a restart has come: its `restart` fields from what was asked for last. */
export function withRestartFields(
  inForce: ContainerSpec,
  wanted: ContainerSpec | undefined,
): ContainerSpec {
  return wanted === undefined || wanted === inForce ? inForce : take(inForce, wanted, ["restart"]);
}

/** What a container runs with after an update: its `live` fields from the new specification. */
export function withLiveFields(inForce: ContainerSpec, wanted: ContainerSpec): ContainerSpec {
  return wanted === inForce ? inForce : take(inForce, wanted, ["live"]);
}

function take(
  inForce: ContainerSpec,
  wanted: ContainerSpec,
  verdicts: readonly ChangeVerdict[],
): ContainerSpec {
  const taken: Record<string, unknown> = { ...inForce };
  for (const [key, schema] of Object.entries(ContainerSpec.shape)) {
    if (!verdicts.includes(fieldMeta(schema)?.change ?? "replace")) continue;
    const value = wanted[key as keyof ContainerSpec];
    if (value === undefined) delete taken[key];
    else taken[key] = value;
  }
  return taken as ContainerSpec;
}
