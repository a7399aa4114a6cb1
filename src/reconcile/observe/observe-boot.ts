import type { HostCallOptions, HostReader, HostSnapshot } from "../../host/index.ts";
import { BOOT_UNIT_PATTERN, readBootUnit } from "../../model/index.ts";
import type { BootObservation } from "../../plan/index.ts";

/** Where systemd looks for what it is to start at boot. */
const WANTS = "multi-user.target.wants";

/** What to look at of what a host starts at boot. */
export function bootWanted({ boot }: Pick<HostReader, "boot">): {
  readonly files: readonly string[];
  readonly list: readonly string[];
  readonly exist: readonly string[];
} {
  if (boot === undefined) return { files: [], list: [], exist: [] };
  const { running, units } = boot;
  return {
    files: [`${units}/${BOOT_UNIT_PATTERN}`],
    list: [`${units}/${WANTS}`],
    exist: [running],
  };
}

/** Units of Stowage's; undefined where there is no systemd, or nobody but root may put something there. */
export async function observeBoot(
  host: HostReader,
  { files, entries, existing, user }: HostSnapshot,
  options: HostCallOptions,
): Promise<BootObservation | undefined> {
  const { boot } = host;
  if (boot === undefined || !existing.has(boot.running) || user.uid !== 0) return undefined;
  const found = [...files].flatMap(([path, text]) => {
    const name = path.slice(boot.units.length + 1);
    if (!path.startsWith(`${boot.units}/`) || name.includes("/")) return [];
    return [{ name, text: typeof text === "string" ? text : "" }];
  });
  const said = found.map(({ name, text }) => [name, readBootUnit(text)] as const);
  const programs = said.flatMap(([, unit]) => unit?.program.filter(isProgram) ?? []);
  // mostly there are none of others, and this program is there
  const others = [...new Set(programs)].filter((path) => !boot.program.includes(path));
  const there =
    others.length === 0
      ? new Set<string>()
      : (await host.snapshot({ exist: others }, options)).existing;
  const units = found.map(({ name, text }, at) => {
    const says = said[at]?.[1];
    const enabled = entries.get(`${boot.units}/${WANTS}`)?.includes(name) === true;
    const runs =
      says?.program.filter(isProgram).every((path) => !others.includes(path) || there.has(path)) ??
      true;
    return [name, { text, enabled, runs, ...(says === undefined ? {} : { says }) }] as const;
  });
  return { program: boot.program, units: new Map(units) };
}

/** The link by which systemd finds a unit of a directory at boot. */
export function bootLink(units: string, name: string): string {
  return `${units}/${WANTS}/${name}`;
}

function isProgram(word: string): boolean {
  return word.startsWith("/");
}
