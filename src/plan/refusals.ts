import type { Diagnostic } from "../errors/index.ts";
import {
  attributesOf,
  type CapabilityTable,
  capabilityOf,
  engineMachine,
  engineName,
  hostDirectories,
  type ImpliedAttribute,
  impliedAttributes,
  isSameEngine,
  isSameJson,
  PodSpec,
  type RosterReading,
} from "../model/index.ts";
import { podsOnHost } from "./observed-pods.ts";
import { podsElsewhere } from "./other-state.ts";
import type { HostObservation, OtherEngine, PlanInput } from "./plan-input.ts";
import { mayRun } from "./pod-context.ts";
import { wrongPlaces } from "./wrong-places.ts";

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
  return [
    ...found,
    ...twoAddresses(input, host, observation),
    ...movedDirectories(input, host, observation),
    ...silentEngines(input, host, observation),
    ...sharedEngines(input, host, observation),
    ...wrongPlaces(input, host, observation),
    ...podsElsewhere(input, host, observation),
  ];
}

/** A host that leaves and is a declared one by another address: it would remove what that one is to have. */
function twoAddresses(
  { leaving, manifest, hosts }: PlanInput,
  host: string,
  { records }: HostObservation,
): readonly Diagnostic[] {
  const address = leaving.get(host)?.address;
  if (address === undefined) return [];
  for (const [name, found] of hosts) {
    if (!(name in manifest.hosts) || found.kind !== "observed") continue;
    const same = [...found.records].find(
      ([key, reading]) =>
        reading.kind === "record" &&
        reading.record.host === host &&
        isSameJson(reading, records.get(key)),
    );
    if (same === undefined) continue;
    return [
      {
        severity: "error",
        path: `hosts.${name}`,
        summary: `it is the machine of host ${host}, which leaves the fleet: both have the same record of ${same[0]}`,
        detail: `if ${host} was only renamed, give ${name} the address that it had, ${address}, until that is applied; if ${name} is a copy of it, use --forget-host ${host}`,
      },
    ];
  }
  return [];
}

/**
 * Other directories of a host than the fleet has there: its records and volumes are in the old ones, and its pods are
 * made of paths below them.
 */
function movedDirectories(
  { manifest }: PlanInput,
  host: string,
  observation: HostObservation,
): readonly Diagnostic[] {
  const spec = manifest.hosts[host];
  if (spec === undefined) return [];
  const { formerStateDir, rosters } = observation;
  const now = hostDirectories(spec);
  if (formerStateDir !== undefined) {
    const volumes = `${formerStateDir}/${manifest.id}/${manifest.name}/.volumes`;
    return [
      {
        severity: "error",
        path: `hosts.${host}.stateDir`,
        summary: `the fleet's records and volumes on this host are in ${formerStateDir}, not in ${now.stateDir}`,
        detail: `set it to ${formerStateDir}; to move them, run stowage destroy --host ${host} with that, which keeps ${volumes}, move what is there by hand, and apply with ${now.stateDir}`,
      },
    ];
  }
  const reading = rosters.get(`${manifest.id}/${manifest.name}`);
  const entry = reading?.kind === "roster" ? reading.roster.hosts[host] : undefined;
  if (entry === undefined || entry.address !== spec.address) return [];
  const was = hostDirectories(entry);
  if (was.stateDir !== now.stateDir || was.runDir === now.runDir) return [];
  const runs = podsOnHost(observation).some(
    ({ pod }) => pod.owner === manifest.id && pod.fleet === manifest.name && mayRun(pod),
  );
  if (!runs) return [];
  return [
    {
      severity: "error",
      path: `hosts.${host}.runDir`,
      summary: `pods of the fleet use what is in ${was.runDir}: networks, secrets and the host's lock`,
      detail: `set it to ${was.runDir}; to change it, run stowage destroy --host ${host} with that, which keeps volumes, and apply with ${now.runDir}`,
    },
  ];
}

/** The engine that a host leaves, where another host of the same machine has it or is to have it. */
function sharedEngines(
  { manifest }: PlanInput,
  host: string,
  { others, config }: HostObservation,
): readonly Diagnostic[] {
  if (others.length === 0) return [];
  const address = manifest.hosts[host]?.address ?? "";
  const beside = Object.entries(manifest.hosts).filter(
    ([name, { engine }]) => name !== host && engine.kind !== "sim",
  );
  return others.flatMap((other) => {
    const left = engineMachine({ address, engine: other.config });
    const [name] =
      beside.find(
        ([, spec]) => isSameEngine(spec.engine, other.config) && engineMachine(spec) === left,
      ) ?? [];
    if (name === undefined) return [];
    return [
      {
        severity: "error",
        path: `hosts.${host}.engine`,
        summary: `its pods are in ${engineName(other.config, config)}, which host ${name} of the same machine is declared with`,
        detail: `give ${name} an engine of its own: another namespace or another store; or move the pods of ${host} first`,
      },
    ];
  });
}

/** Whether an engine counts as gone: it is, or the user said so. */
export function isGone(input: PlanInput, other: OtherEngine): boolean {
  if (other.kind === "gone") return true;
  const forgotten = input.options.forgetEngines ?? [];
  return other.kind === "silent" && forgotten.includes(other.config.kind);
}

/** Processes may still run there: what is on it is not given up before somebody says so. */
function silentEngines(
  input: PlanInput,
  host: string,
  { others, config }: HostObservation,
): readonly Diagnostic[] {
  return others.flatMap((other): Diagnostic[] => {
    if (other.kind !== "silent" || isGone(input, other)) return [];
    const { kind } = other.config;
    return [
      {
        severity: "error",
        path: `hosts.${host}.engine`,
        summary: `pods were last applied in ${engineName(other.config, config)}, which does not answer: ${other.reason}`,
        detail: `let it run while they are moved; or, if it is gone for good with all that ran in it, use --forget-engine ${kind}`,
      },
    ];
  });
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
  for (const attribute of [...attributesOf(PodSpec, spec).values(), ...impliedAttributes(spec)]) {
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

function unsupported(table: CapabilityTable, { fieldPath, value }: ImpliedAttribute) {
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
      "choose another name for the fleet, give the manifest that owner's id, or use --take-over",
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
