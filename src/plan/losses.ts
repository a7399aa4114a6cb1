import {
  attributesOf,
  type Capability,
  type CapabilityTable,
  type ChangeVerdict,
  capabilityOf,
  PodSpec,
} from "../model/index.ts";
import type { Loss } from "./plan.ts";

const STRENGTH: Readonly<Record<ChangeVerdict, number>> = { live: 0, restart: 1, replace: 2 };

/** Fields that a pod sets and with which an engine can do less than another one. */
export function lossesOf(
  spec: PodSpec,
  before: CapabilityTable,
  after: CapabilityTable,
): readonly Loss[] {
  return [...attributesOf(PodSpec, spec).values()].flatMap(
    ({ path, fieldPath, value, verdict }): Loss[] => {
      const was = capabilityOf(before, fieldPath, value);
      const is = capabilityOf(after, fieldPath, value);
      const change = { before: was.change ?? verdict, after: is.change ?? verdict };
      const isSlower = STRENGTH[change.after] > STRENGTH[change.before];
      const emulated = was.support === "native" ? emulation(is) : undefined;
      if (!isSlower && emulated === undefined) return [];
      return [
        {
          path,
          ...(isSlower ? { change } : {}),
          ...(emulated === undefined ? {} : { emulated }),
        },
      ];
    },
  );
}

function emulation(capability: Capability): string | undefined {
  const { support, reason = "Stowage does it" } = capability;
  if (support !== "emulated") return undefined;
  return capability.while === undefined ? reason : `${reason}, while ${capability.while}`;
}
