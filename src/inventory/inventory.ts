import { Engine, type Fleet, Host, type PodDefaults } from "../constructs/index.ts";
import { readInventoryFile } from "./inventory-file.ts";
import type { InventoryHost, SshConfigOptions } from "./inventory-host.ts";
import { refuseUnknown } from "./known-options.ts";
import { readSshHosts } from "./ssh-hosts.ts";

/** What hosts get that an inventory does not say it of. */
export interface AddToOptions {
  /**
   * Engine of hosts that name none.
   *
   * @defaultValue - that of the fleet's defaults
   */
  readonly engine?: Engine;
  /**
   * What their pods have unless they say otherwise.
   *
   * @defaultValue - the fleet's defaults
   */
  readonly defaults?: PodDefaults;
}

type Names<T> = { readonly [K in keyof Required<T>]: true };
const ADD_TO: Names<AddToOptions> = { engine: true, defaults: true };
const SSH_CONFIG: Names<SshConfigOptions> = {
  file: true,
  only: true,
  name: true,
  labels: true,
  groups: true,
};

/**
 * Hosts that are written down elsewhere. It only says which hosts there are; what runs on them is declared
 * as ever, and services choose among them by labels and groups.
 */
export class Inventory {
  readonly #hosts: ReadonlyMap<string, InventoryHost>;

  private constructor(hosts: ReadonlyMap<string, InventoryHost>) {
    this.#hosts = hosts;
  }

  /**
   * Hosts of a file, YAML or JSON.
   *
   * @param path relative to the project
   * @throws DiagnosticsError naming each mistake with its line
   */
  static fromFile(path: string): Inventory {
    return new Inventory(readInventoryFile(path));
  }

  /**
   * The `Host` entries of an ssh configuration; patterns are passed over. Where each leads is what `ssh -G` says.
   *
   * @throws StowageError naming file and line of an entry that can be no host
   */
  static fromSshConfig(options: SshConfigOptions = {}): Inventory {
    refuseUnknown("read hosts of an ssh configuration", options, SSH_CONFIG);
    return new Inventory(readSshHosts(options));
  }

  /** Names of its hosts. */
  get names(): readonly string[] {
    return [...this.#hosts.keys()];
  }

  /** Makes its hosts a part of a fleet. */
  addTo(fleet: Fleet, options: AddToOptions = {}): readonly Host[] {
    refuseUnknown(`add hosts to "${fleet.node.path}"`, options, ADD_TO);
    const { engine, defaults } = options;
    return [...this.#hosts].map(([name, host]) => {
      const { engine: config, address, labels, stateDir, runDir } = host;
      const own = config === undefined ? engine : Engine.fromConfig(config);
      return new Host(fleet, name, {
        address,
        ...(labels === undefined ? {} : { labels }),
        ...(stateDir === undefined ? {} : { stateDir }),
        ...(runDir === undefined ? {} : { runDir }),
        ...(own === undefined ? {} : { engine: own }),
        ...(defaults === undefined ? {} : { defaults }),
      });
    });
  }
}
