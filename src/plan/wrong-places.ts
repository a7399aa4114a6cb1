import type { Diagnostic } from "../errors/index.ts";
import { hostDirectories, hostLayout } from "../model/index.ts";
import type { HostObservation, PlanInput } from "./plan-input.ts";

/**
 * Files and links to nothing where an apply needs a directory, and directories where it needs a file: it would
 * fail in its midst.
 */
export function wrongPlaces(
  { manifest, options }: PlanInput,
  host: string,
  { wrongPlaces: found = [] }: HostObservation,
): readonly Diagnostic[] {
  const spec = manifest.hosts[host];
  // what goes needs no place
  if (spec === undefined || options.destroy === true) return [];
  const { stateDir, runDir } = hostDirectories(spec);
  const { volumeDir } = hostLayout({ stateDir, runDir }, manifest.id, manifest.name);
  const volumes = new Map(
    Object.entries(spec.pods ?? {}).flatMap(([pod, { volumes = {} }]) =>
      Object.entries(volumes).flatMap(([key, volume]) =>
        volume.kind === "named"
          ? [[volumeDir(volume.name), `hosts.${host}.pods.${pod}.volumes.${key}`] as const]
          : [],
      ),
    ),
  );
  return found.map(({ path, wanted, isDangling }): Diagnostic => {
    const volume = volumes.get(path);
    const is = isDangling === true ? "is a broken symbolic link" : "is not a directory";
    const mend = isDangling === true ? "create its target, or move it away" : "move it away";
    if (volume !== undefined) {
      return {
        severity: "error",
        path: volume,
        summary: `${path} ${is}, but the volume's data belongs in it`,
        detail: `${mend} on the host, or give the volume another name`,
      };
    }
    const field = isWithin(path, stateDir) || isWithin(stateDir, path) ? "stateDir" : "runDir";
    return {
      severity: "error",
      path: `hosts.${host}.${field}`,
      summary:
        wanted === "directory"
          ? `${path} ${is}, but Stowage keeps its files in it`
          : `${path} is a directory, but Stowage writes a file there`,
      detail: `${mend} on the host, or declare another ${field}`,
    };
  });
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
