import type { Network as NetworkSpec } from "../model/index.ts";

/** The network that the containers of a pod share. */
export class Network {
  readonly #spec: NetworkSpec;

  private constructor(mode: NetworkSpec["mode"]) {
    this.#spec = { mode };
  }

  /** A network namespace with a loopback only. */
  static none(): Network {
    return new Network("none");
  }

  /** The host's own network: needed to answer on a port of the host. */
  static host(): Network {
    return new Network("host");
  }

  /** @internal */
  toSpec(): NetworkSpec {
    return { ...this.#spec };
  }
}
