import {
  type Capability,
  type CapabilityTable,
  capabilitiesOf,
  fieldPathsOf,
  IMPLIED_FIELDS,
  knowledgeWords,
  PodSpec,
} from "../model/index.ts";

/** What an engine can do with one field of a pod, or with some of its values. */
export interface EngineRow extends Omit<Capability, "known"> {
  readonly field: string;
  readonly known: string;
}

/** Fields of a host that engines differ in. */
const HOST_FIELDS = ["pull"] as const;

/** What an engine can do with every field of a pod, with what fields ask for together, and with those of its host that it has a part in. */
export function engineRows(table: CapabilityTable): readonly EngineRow[] {
  return [...HOST_FIELDS, ...fieldPathsOf(PodSpec), ...IMPLIED_FIELDS].flatMap((field) =>
    capabilitiesOf(table, field).map((capability) => ({
      field,
      ...capability,
      known: knowledgeWords(capability),
    })),
  );
}

/** What there is to say of a field beside its support, in one sentence; empty when nothing is. */
export function rowNote({ reason, instead, change, values, ...row }: EngineRow): string {
  const parts = [
    ...(values === undefined ? [] : [`only ${values.map(String).join(", ")}`]),
    ...(reason === undefined ? [] : [reason]),
    ...(row.while === undefined ? [] : [`while ${row.while}`]),
    ...(instead === undefined ? [] : [`instead: ${instead}`]),
    ...(change === undefined ? [] : [`a change is a ${change}`]),
  ];
  return parts.join("; ");
}
