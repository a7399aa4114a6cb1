import { readFileSync, writeFileSync } from "node:fs";
import { objectName, type PodIdentity } from "../../src/model/index.ts";
import { simHostFile, simHostName } from "./sim-fleet.ts";

interface MachineFile {
  readonly pods: Readonly<
    Record<
      string,
      { readonly identity: PodIdentity; readonly containers: Readonly<Record<string, unknown>> }
    >
  >;
}

/**
 * Makes the other hosts' files from the first one's, as an apply on each would have left them: names
 * of objects are those that the identities have there. Whether it is right, a plan says.
 */
export function copySimHosts(dir: string, hosts: number): void {
  const text = readFileSync(simHostFile(dir, 0), "utf8");
  const { pods } = JSON.parse(text) as MachineFile;
  for (let at = 1; at < hosts; at += 1) {
    const names = new Map<string, string>();
    for (const [name, { identity, containers }] of Object.entries(pods)) {
      const there = { ...identity, host: simHostName(at) };
      names.set(name, objectName(there));
      for (const container of Object.keys(containers)) {
        names.set(objectName(identity, container), objectName(there, container));
      }
    }
    const own = text
      .replace(/stw-[a-z0-9-]+/g, (name) => names.get(name) ?? name)
      // in the text of a record, too
      .replace(/(\\?)"host\1": ?\1"[^"\\]+\1"/g, `$1"host$1":$1"${simHostName(at)}$1"`);
    writeFileSync(simHostFile(dir, at), own, { mode: 0o600 });
  }
}
