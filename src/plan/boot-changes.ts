import { type BootUnit, bootUnitName, bootUnitText, hostDirectories } from "../model/index.ts";
import type { HostChange } from "./plan.ts";
import type { BootObservation, HostObservation, ObservedUnit, PlanInput } from "./plan-input.ts";

/** Units of the fleet that a host lacks, has otherwise, or has for nothing. */
export function bootChanges(
  input: PlanInput,
  host: string,
  { boot }: HostObservation,
  after: readonly string[],
): readonly HostChange[] {
  // of pods that are not planned nothing is known
  if (boot === undefined || input.options.pods !== undefined) return [];
  const wanted = wantedUnit(input, host, boot);
  const kept = wanted === undefined ? undefined : bootUnitName(wanted);
  const stale = unitsOf(input, host, boot).filter((name) => name !== kept);
  const removals = stale.map((name): HostChange => {
    const text = `no pod needs unit ${name} at boot any more`;
    return changeOf(host, name, text, { kind: "remove-unit", name }, after);
  });
  const why = wanted === undefined ? undefined : whatDiffers(wanted, boot);
  if (wanted === undefined || kept === undefined || why === undefined) return removals;
  const step = { kind: "install-unit", unit: wanted } as const;
  return [...removals, changeOf(host, kept, why, step, after)];
}

function changeOf(
  host: string,
  name: string,
  text: string,
  step: HostChange["steps"][number],
  after: readonly string[],
): HostChange {
  return { id: `${host}/unit:${name}`, host, action: "boot", text, steps: [step], after };
}

/** The unit that is to be there: where pods are declared that are to run whatever happens. */
function wantedUnit(
  { manifest, options }: PlanInput,
  host: string,
  boot: BootObservation,
): BootUnit | undefined {
  const spec = manifest.hosts[host];
  if (spec === undefined || options.destroy === true) return undefined;
  const returns = Object.values(spec.pods ?? {}).some(
    ({ restart }) => restart !== undefined && restart.policy !== "no",
  );
  if (!returns) return undefined;
  const { stateDir, runDir } = hostDirectories(spec);
  const unit = { owner: manifest.id, fleet: manifest.name, host, stateDir, runDir };
  return { ...unit, program: programOf(boot.units.get(bootUnitName(unit)), boot) };
}

/** Two who apply may each have a Stowage of their own there: one that is installed is good while it is there. */
function programOf(found: ObservedUnit | undefined, boot: BootObservation): readonly string[] {
  return found?.runs === true ? (found.says?.program ?? boot.program) : boot.program;
}

function whatDiffers(wanted: BootUnit, boot: BootObservation): string | undefined {
  const found = boot.units.get(bootUnitName(wanted));
  if (found === undefined) return "its pods start at boot, by a systemd unit";
  const what = "the unit that starts its pods at boot";
  if (!found.runs) return `${what} names a program that no longer exists`;
  if (found.text !== bootUnitText(wanted)) return `${what} was changed behind Stowage's back`;
  return found.enabled ? undefined : `${what} was disabled behind Stowage's back`;
}

/** Names of the units that were made for the fleet on a host, under its name or its former one, of fleet or host. */
function unitsOf(
  { manifest }: PlanInput,
  host: string,
  { units }: BootObservation,
): readonly string[] {
  const { id, name, formerly, hosts } = manifest;
  const own = hosts[host];
  const stateDir = own === undefined ? undefined : hostDirectories(own).stateDir;
  return [...units].flatMap(([unit, { says }]) => {
    if (says === undefined || says.owner !== id) return [];
    const wasHost = !(says.host in manifest.hosts) && says.stateDir === stateDir;
    if (says.host !== host && !wasHost) return [];
    return says.fleet === name || says.fleet === formerly ? [unit] : [];
  });
}
