import { type Capability, type CapabilityTable, capabilitiesOf } from "../../../src/model/index.ts";

/** An engine's column in the reference. */
export interface EngineColumn {
  readonly name: string;
  readonly table: CapabilityTable;
}

/** What an engine's column says of a field. */
export interface SupportCell {
  readonly short: string;
  /** Sentences for below the table. */
  readonly notes: readonly string[];
}

/** What an engine can do with a field. */
export function supportCell({ table }: EngineColumn, fieldPath: string): SupportCell {
  const entries = capabilitiesOf(table, fieldPath);
  const words = [...new Set(entries.map(({ support }) => support))];
  // what a field takes from the one above is said there
  const own = fieldPath in table ? entries : [];
  const short = words.length === 1 ? (words[0] ?? "") : "some values";
  return { short, notes: own.flatMap((entry) => noteOf(entry, own.length > 1)) };
}

function noteOf(capability: Capability, isOneOfSeveral: boolean): readonly string[] {
  const { support, reason, instead, change, values } = capability;
  const parts = [
    ...(reason === undefined ? [] : [reason]),
    ...(capability.while === undefined ? [] : [`while ${capability.while}`]),
    ...(instead === undefined ? [] : [`instead: ${instead}`]),
    ...(change === undefined ? [] : [`a change is a ${change}`]),
  ];
  if (parts.length === 0 && !isOneOfSeveral) return [];
  const others = isOneOfSeveral ? "other values: " : "";
  const of =
    values === undefined ? others : `${values.map((value) => `\`${value}\``).join(", ")}: `;
  return [`${of}${[support, ...parts].join("; ")}`];
}
