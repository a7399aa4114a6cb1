import type { CniNetwork, Network as NetworkSpec } from "../model/index.ts";
import type { IBridgeNetwork } from "./bridge-network.ts";
import { compact } from "./compact.ts";
import { checkOptions, type OptionNames } from "./options.ts";

/** Where a network of the host's CNI configuration is found. */
export interface CniOptions {
  /**
   * Directory of the host's CNI configuration.
   *
   * @defaultValue /etc/cni/net.d
   */
  readonly configDir?: string;
  /**
   * Directories of the host's CNI plugins, searched in this order.
   *
   * @defaultValue /opt/cni/bin and /usr/lib/cni
   */
  readonly pluginDirs?: readonly string[];
}

const CNI: OptionNames<CniOptions> = { configDir: true, pluginDirs: true };

/** The network that the containers of a pod share. */
export class Network {
  readonly #spec: NetworkSpec;

  private constructor(spec: NetworkSpec) {
    this.#spec = spec;
  }

  /** A network namespace with a loopback only. */
  static none(): Network {
    return new Network({ mode: "none" });
  }

  /** The host's own network. */
  static host(): Network {
    return new Network({ mode: "host" });
  }

  /** A network of the fleet, in which pods of one host reach each other by name. */
  static bridge(network: IBridgeNetwork | string): Network {
    const name = typeof network === "string" ? network : network.networkName;
    return new Network({ mode: "bridge", name });
  }

  /** A network of the host's own, by its name in the host's CNI configuration. */
  static cni(name: string, options: CniOptions = {}): Network {
    const { configDir, pluginDirs } = options;
    const cni = compact<CniNetwork>({
      name,
      configDir,
      pluginDirs: pluginDirs === undefined ? undefined : [...pluginDirs],
    });
    const network = new Network({ mode: "cni", cni });
    checkOptions(network, options, CNI);
    return network;
  }

  /** @internal */
  toSpec(): NetworkSpec {
    return { ...this.#spec };
  }
}
