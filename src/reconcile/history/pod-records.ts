import type { HostReader } from "../../host/index.ts";
import {
  type AuditLine,
  type FleetManifest,
  type HostSpec,
  hostDirectories,
  hostLayout,
  type NumberedRecord,
  numberedRecords,
  parseAudit,
} from "../../model/index.ts";
import { readRecords } from "../observe/read-files.ts";
import { historiesIn } from "./pod-histories.ts";

/** What is known to have been applied to each pod of a fleet on a host, newest first; one snapshot. */
export async function readPodRecords(
  host: HostReader,
  { id, name }: Pick<FleetManifest, "id" | "name">,
  spec: HostSpec,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly NumberedRecord[]>> {
  const layout = hostLayout(hostDirectories(spec), id, name);
  const files = [layout.recordFile("*"), layout.historyFile("*")];
  const snapshot = await host.snapshot({ files }, { signal });
  const histories = historiesIn(snapshot, layout);
  const records = new Map(
    [...(await readRecords(snapshot, spec))].flatMap(([key, reading]) =>
      reading.kind === "record" && key === `${id}/${name}/${reading.record.pod}`
        ? [[reading.record.pod, reading.record] as const]
        : [],
    ),
  );
  const pods = [...new Set([...records.keys(), ...histories.keys()])].sort();
  return new Map(
    pods.map((pod) => [pod, numberedRecords(records.get(pod), histories.get(pod))] as const),
  );
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
