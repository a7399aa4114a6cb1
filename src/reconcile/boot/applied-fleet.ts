import { StowageError } from "../../errors/index.ts";
import type { HostReader } from "../../host/index.ts";
import {
  type FleetManifest,
  type HostSpec,
  hostDirectories,
  hostLayout,
  MANIFEST_VERSION,
} from "../../model/index.ts";
import { readRecords } from "../observe/read-files.ts";
import type { BootRequest } from "./boot-request.ts";

/**
 * What was last applied to a host of a fleet, as a declaration: nothing else is available at boot.
 *
 * @throws StowageError `failed_precondition` when a newer Stowage applied it
 */
export async function appliedFleet(
  host: HostReader,
  { owner, fleet, host: name, spec }: Pick<BootRequest, "owner" | "fleet" | "host" | "spec">,
): Promise<FleetManifest> {
  const layout = hostLayout(hostDirectories(spec), owner, fleet);
  const snapshot = await host.snapshot({ files: [layout.recordFile("*")] });
  const pods: NonNullable<HostSpec["pods"]> = {};
  for (const [key, reading] of await readRecords(snapshot, spec)) {
    if (reading.kind === "newer") {
      throw new StowageError(
        `Cannot bring back pod "${key}": a newer Stowage applied it (its record has version ${reading.version}); install that one, and apply again`,
        { code: "failed_precondition" },
      );
    }
    // of one that cannot be read the next plan says so
    if (reading.kind !== "record" || reading.record.host !== name) continue;
    const { record } = reading;
    const applied = record.generations.find(({ generation }) => generation === record.current);
    if (applied !== undefined) pods[record.pod] = applied.spec;
  }
  const hosts = { [name]: { ...spec, pods } };
  return { version: MANIFEST_VERSION, name: fleet, id: owner, hosts };
}
