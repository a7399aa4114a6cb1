import { randomInt } from "node:crypto";
import { decodeValue, encodeValue, UNKNOWN, type Value } from "./msgpack.ts";
import { message, readFields } from "./wire.ts";

/** One call of the provider: request and answer as the wire has them. */
export type Handler = (request: Uint8Array) => Buffer;

type State = { readonly id: Value; readonly triggers: Value } | null;

const attribute = (name: string, type: unknown, kind: readonly number[]): Buffer =>
  message([[1, name], [2, JSON.stringify(type)], ...kind.map((flag) => [flag, true] as const)]);

const [OPTIONAL, COMPUTED] = [5, 6];

const RESOURCE_SCHEMA = message([
  [1, 0],
  [
    2,
    message([
      [2, attribute("id", "string", [COMPUTED])],
      [2, attribute("triggers", ["map", "string"], [OPTIONAL])],
    ]),
  ],
]);

/** What hashicorp/null does for its one resource: an id that stays, and triggers that replace it. */
export const nullResource: Readonly<Record<string, Handler>> = {
  GetProviderSchema: () =>
    message([
      [1, message([[2, message([])]])],
      [
        2,
        message([
          [1, "null_resource"],
          [2, RESOURCE_SCHEMA],
        ]),
      ],
    ]),
  ValidateProviderConfig: () => message([]),
  ConfigureProvider: () => message([]),
  ValidateResourceConfig: () => message([]),
  StopProvider: () => message([]),
  UpgradeResourceState(request) {
    const json = readFields(readFields(request).get(3) ?? new Uint8Array()).get(1);
    return message([[1, message([[2, json ?? "null"]])]]);
  },
  ReadResource: (request) => message([[1, readFields(request).get(2) ?? new Uint8Array()]]),
  PlanResourceChange(request) {
    const fields = readFields(request);
    const prior = stateOf(fields.get(2));
    const proposed = stateOf(fields.get(3));
    if (proposed === null) return message([[1, dynamicValue(null)]]);
    if (prior === null) return message([[1, dynamicValue({ ...proposed, id: UNKNOWN })]]);
    const replaced = !encodeValue(prior.triggers).equals(encodeValue(proposed.triggers));
    const path = message([[1, message([[1, "triggers"]])]]);
    return message([[1, dynamicValue(proposed)], ...(replaced ? [[2, path] as const] : [])]);
  },
  ApplyResourceChange(request) {
    const planned = stateOf(readFields(request).get(3));
    if (planned === null || planned.id !== UNKNOWN) return message([[1, dynamicValue(planned)]]);
    return message([[1, dynamicValue({ ...planned, id: String(randomInt(2 ** 47)) })]]);
  },
};

function stateOf(bytes: Uint8Array | undefined): State {
  const encoded = readFields(bytes ?? new Uint8Array()).get(1);
  return encoded === undefined ? null : (decodeValue(encoded) as State);
}

function dynamicValue(state: State): Buffer {
  return message([[1, encodeValue(state)]]);
}
