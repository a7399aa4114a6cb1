import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CniNetwork } from "../../src/model/index.ts";

/** Where Debian has the plugins. */
export const CNI_PLUGINS = "/usr/lib/cni";

/** A host's CNI configuration: the network `lan`, by the plugins bridge, portmap and firewall. */
export class CniFolder implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "stw-cni-conf-"));
  readonly configDir = join(this.folder, "net.d");
  readonly #shims = join(this.folder, "bin");

  constructor() {
    mkdirSync(this.configDir);
    mkdirSync(this.#shims);
    this.describe({});
  }

  get network(): CniNetwork {
    const pluginDirs = [this.#shims, CNI_PLUGINS];
    return { name: "lan", configDir: this.configDir, pluginDirs };
  }

  /** Writes the configuration anew. */
  describe({ ports = true, more = {} }: { ports?: boolean; more?: object }): void {
    const ipam = { type: "host-local", subnet: "10.77.0.0/16", dataDir: join(this.folder, "ipam") };
    const plugins = [
      { type: "bridge", bridge: "cnit0", isGateway: true, ipMasq: true, hairpinMode: true, ipam },
      ...(ports ? [{ type: "portmap", capabilities: { portMappings: true } }] : []),
      { type: "firewall" },
    ];
    writeFileSync(
      join(this.configDir, "10-lan.conflist"),
      JSON.stringify({ cniVersion: "1.0.0", name: "lan", plugins, ...more }),
    );
  }

  /**
   * Has the shell that runs the nth ADD or DEL of a plugin from now on killed: before it, after it, or as
   * it begins, so that it goes on while nobody waits for it.
   */
  killAt(nth: number, phase: "before" | "after" | "beside"): void {
    const count = join(this.folder, "count");
    writeFileSync(count, "0");
    for (const type of ["bridge", "portmap", "firewall"]) {
      const real = `${CNI_PLUGINS}/${type}`;
      const then = {
        before: "kill -9 $PPID",
        after: `${real}; kill -9 $PPID`,
        beside: `kill -9 $PPID; sleep 1; exec ${real}`,
      };
      const shim = `#!/bin/sh
case $CNI_COMMAND in ADD|DEL) ;; *) exec ${real} ;; esac
n=$(($(cat ${count}) + 1))
echo $n >${count}
[ $n -eq ${nth} ] || exec ${real}
${then[phase]}
`;
      writeFileSync(join(this.#shims, type), shim);
      chmodSync(join(this.#shims, type), 0o755);
    }
  }

  /** Addresses that the network has given away. */
  leases(): readonly string[] {
    const folder = join(this.folder, "ipam", "lan");
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith("10.")) : [];
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What plugins made for pods of the network in a machine: what all of them share stays there. */
export function cniTraces(rules: string): readonly string[] {
  return rules.split("\n").filter((line) => /10\.77\.|stw-|CNI-[0-9a-f]{24}|CNI-DN-/.test(line));
}
