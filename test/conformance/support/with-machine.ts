import { execFileSync } from "node:child_process";
import type { Engine } from "../../../src/engine/index.ts";
import type { Host } from "../../../src/host/index.ts";
import { type HostDirectories, objectName } from "../../../src/model/index.ts";
import { withNetworks } from "../../../src/network/index.ts";
import { NetworkPlaces } from "../../../src/network/places.ts";
import { mountsNaming } from "../../support/engines/look-around.ts";
import { NetworkMachine } from "../../support/network-machine.ts";
import type { OpenedEngine } from "./engine-fixture.ts";

/** An engine with networks that are made in a network namespace of their own, in place of the host's. */
export interface WithMachine extends Pick<OpenedEngine, "page" | "breakNetwork"> {
  readonly engine: Engine;
  traces(): readonly string[];
  close(): void;
}

export function withMachine(inner: Engine, host: Host, directories: HostDirectories): WithMachine {
  const machine = new NetworkMachine();
  const engine = withNetworks(inner, {
    host: machine.host(host),
    ...directories,
    engine: "of the suite",
  });
  const places = new NetworkPlaces(directories.runDir);
  return {
    engine,
    page: (port) => machine.page(`http://127.0.0.1:${port}/`),
    breakNetwork: async (identity) => {
      machine.sh(
        `ip link del ${places.link(objectName(identity))}; iptables -F; iptables -t nat -F`,
      );
    },
    traces: () => machine.traces(),
    close: () => {
      // of cases that failed
      for (const path of mountsNaming(`${directories.runDir}/`)) execFileSync("umount", [path]);
      machine.close();
    },
  };
}
