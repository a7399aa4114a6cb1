import { Construct } from "constructs";
import type { NetworkSpec } from "../model/index.ts";
import { compact } from "./compact.ts";
import { checkOptions, type OptionNames } from "./options.ts";
import { reportMistakes } from "./scopes.ts";

/** Properties of {@link BridgeNetwork}. */
export interface BridgeNetworkProps {
  /**
   * Addresses of the network on each host: `10.20.0.0/24`.
   *
   * @defaultValue - a free one is chosen on each host
   */
  readonly subnet?: string;
  /**
   * Nothing leads out of the network, and nothing in.
   *
   * @defaultValue false
   */
  readonly internal?: boolean;
  /**
   * Addresses of the name servers of its pods, at most three.
   *
   * @defaultValue - those of the host that are not on its loopback
   */
  readonly dns?: readonly string[];
  /**
   * Name of the network in its fleet.
   *
   * @defaultValue - the construct's id
   */
  readonly name?: string;
}

const BRIDGE: OptionNames<BridgeNetworkProps> = {
  subnet: true,
  internal: true,
  dns: true,
  name: true,
};

/** A network of the fleet, as pods refer to it. */
export interface IBridgeNetwork {
  /** Name of the network in its fleet. */
  readonly networkName: string;
}

/** A network of the fleet: on each host its pods reach each other by name, and nobody else's. */
export class BridgeNetwork extends Construct implements IBridgeNetwork {
  readonly networkName: string;
  readonly #spec: NetworkSpec;

  /** @param scope The fleet that it is a part of. */
  constructor(scope: Construct, id: string, props: BridgeNetworkProps = {}) {
    super(scope, id);
    checkOptions(this, props, BRIDGE);
    const { name, dns, subnet, internal } = props;
    this.networkName = name ?? id;
    this.#spec = compact<NetworkSpec>({
      subnet,
      internal,
      dns: dns === undefined ? undefined : [...dns],
    });
    reportMistakes(this);
  }

  /** @internal */
  toSpec(): NetworkSpec {
    return { ...this.#spec };
  }
}
