import type { Diagnostic } from "../errors/index.ts";
import {
  type Attribute,
  attributesOf,
  type CapabilityTable,
  capabilityOf,
  PodSpec,
  type RosterReading,
} from "../model/index.ts";
import type { HostObservation, PlanInput } from "./plan-input.ts";

/** Why a host must not be planned for at all: it holds the fleet under another owner, or files of a newer Stowage. */
export function hostRefusals(
  input: PlanInput,
  host: string,
  observation: HostObservation,
): readonly Diagnostic[] {
  const { id, name } = input.manifest;
  const found: Diagnostic[] = [];
  for (const [key, reading] of observation.rosters) {
    const [owner, fleet] = key.split("/");
    if (fleet !== name) continue;
    if (owner !== id && input.options.takeOver !== true)
      found.push(otherOwner(host, name, owner ?? "", reading));
    else if (reading.kind === "newer")
      found.push(newer(`hosts.${host}`, "the fleet's roster", reading.version));
  }
  for (const [key, reading] of observation.records) {
    if (reading.kind === "newer")
      found.push(newer(`hosts.${host}`, `the record of ${key}`, reading.version));
  }
  return found;
}

/** Fields of a pod that its host's engine cannot do, and paths that its host does not have. */
export function podRefusals(
  host: string,
  pod: string,
  spec: PodSpec,
  observation: HostObservation,
): readonly Diagnostic[] {
  const place = `hosts.${host}.pods.${pod}`;
  const found: Diagnostic[] = [];
  const { info, capabilities, missingPaths } = observation;
  for (const attribute of attributesOf(PodSpec, spec).values()) {
    const problem = unsupported(capabilities, attribute);
    if (problem !== undefined) {
      found.push({
        severity: "error",
        path: `${place}.${attribute.path}`,
        summary: `${info.kind} ${info.version} cannot do this${problem.reason === undefined ? "" : `: ${problem.reason}`}`,
        ...(problem.instead === undefined ? {} : { detail: problem.instead }),
      });
    }
    const isPath = /^(?:volumes\.\*\.path|containers\.\*\.devices\[\*\]\.path)$/.test(
      attribute.fieldPath,
    );
    if (isPath && missingPaths.has(String(attribute.value))) {
      found.push({
        severity: "error",
        path: `${place}.${attribute.path}`,
        summary: `${String(attribute.value)} does not exist on the host`,
        detail: "create it there, or correct the path",
      });
    }
  }
  return found;
}

function unsupported(table: CapabilityTable, { fieldPath, value }: Attribute) {
  const capability = capabilityOf(table, fieldPath, value);
  return capability.support === "unsupported" ? capability : undefined;
}

function otherOwner(
  host: string,
  fleet: string,
  owner: string,
  reading: RosterReading,
): Diagnostic {
  const by =
    reading.kind === "roster"
      ? `, applied last by ${reading.roster.appliedBy} at ${reading.roster.appliedAt}`
      : "";
  return {
    severity: "error",
    path: `hosts.${host}`,
    summary: `the host holds a fleet "${fleet}" of another owner (${owner}${by})`,
    detail:
      "choose another name for the fleet, give the manifest that owner's id, or say --take-over",
  };
}

function newer(path: string, what: string, version: number): Diagnostic {
  return {
    severity: "error",
    path,
    summary: `${what} was written by a newer Stowage (version ${version})`,
    detail: "use that version or a later one",
  };
}
