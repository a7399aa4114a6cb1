import type { Network as NetworkSpec } from "../model/index.ts";
import type { IBridgeNetwork } from "./bridge-network.ts";

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

  /** @internal */
  toSpec(): NetworkSpec {
    return { ...this.#spec };
  }
}
