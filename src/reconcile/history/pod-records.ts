import type { HostReader } from "../../host/index.ts";
import {
  type AuditLine,
  type FleetManifest,
  fleetNames,
  type HostSpec,
  hostDirectories,
  hostLayout,
  type NumberedRecord,
  numberedRecords,
  parseAudit,
} from "../../model/index.ts";
import { readRecords } from "../observe/read-files.ts";
import { historiesIn } from "./pod-histories.ts";

/**
 * What is known to have been applied to each pod of a fleet on a host, newest first; one snapshot. A pod that has
 * nothing under the fleet's name has what is there under its former one, until that renaming is applied.
 */
export async function readPodRecords(
  host: HostReader,
  fleet: Pick<FleetManifest, "id" | "name" | "formerly">,
  spec: HostSpec,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly NumberedRecord[]>> {
  const { id } = fleet;
  const names = fleetNames(fleet).toReversed();
  const layouts = names.map((name) => hostLayout(hostDirectories(spec), id, name));
  const files = layouts.flatMap((layout) => [layout.recordFile("*"), layout.historyFile("*")]);
  const snapshot = await host.snapshot({ files }, { signal });
  const readings = await readRecords(snapshot, spec);
  const found = layouts.flatMap((layout, at) => {
    const histories = historiesIn(snapshot, layout);
    const records = new Map(
      [...readings].flatMap(([key, reading]) =>
        reading.kind === "record" && key === `${id}/${names[at]}/${reading.record.pod}`
          ? [[reading.record.pod, reading.record] as const]
          : [],
      ),
    );
    const pods = new Set([...records.keys(), ...histories.keys()]);
    return [...pods].map(
      (pod) => [pod, numberedRecords(records.get(pod), histories.get(pod))] as const,
    );
  });
  // of two of one pod the last one stays
  return new Map(found.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** The lines of a host's audit files, oldest first, of all fleets. */
export async function readAudit(
  host: HostReader,
  spec: HostSpec,
  signal: AbortSignal,
): Promise<readonly AuditLine[]> {
  const { auditFile } = hostLayout(hostDirectories(spec), "", "");
  const { files } = await host.snapshot({ files: [`${auditFile}.1`, auditFile] }, { signal });
  return [`${auditFile}.1`, auditFile].flatMap((path) => {
    const text = files.get(path);
    return typeof text === "string" ? parseAudit(text) : [];
  });
}
