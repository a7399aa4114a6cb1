import type { Construct } from "constructs";
import type { PodSpec } from "../model/index.ts";
import type { Hosts } from "./hosts.ts";
import { checkOptions, type OptionNames } from "./options.ts";
import { POD_OPTIONS, PodBase, type PodContext, type PodOptions } from "./pod-base.ts";
import { ROLLOUT, type RolloutProps, rolloutSpec } from "./rollout.ts";
import { reportMistakes } from "./scopes.ts";

/** Properties of {@link Service}. */
export interface ServiceProps extends PodOptions {
  /** Hosts that its pods may be on. */
  readonly on: Hosts;
  /**
   * Pods in all, spread evenly over the hosts. A host that comes or goes moves as few as possible.
   *
   * @defaultValue - one on each host
   */
  readonly replicas?: number;
  /**
   * How its pods follow each other when they change.
   *
   * @defaultValue - all at once
   */
  readonly rollout?: RolloutProps;
  /**
   * Name of the service and of its pods; a second one on a host is `<name>-2`.
   *
   * @defaultValue - the construct's id
   */
  readonly name?: string;
}

const SERVICE: OptionNames<ServiceProps> = {
  ...POD_OPTIONS,
  on: true,
  replicas: true,
  rollout: true,
  name: true,
};

/** A pod that several hosts run. */
export class Service extends PodBase {
  readonly podName: string;
  readonly on: Hosts;
  readonly replicas: number | undefined;
  readonly #rollout: RolloutProps | undefined;

  /** @param scope The fleet whose hosts it chooses from. */
  constructor(scope: Construct, id: string, props: ServiceProps) {
    const { on, replicas, rollout, name = id, ...options } = props;
    super(scope, id, options);
    checkOptions(this, props, SERVICE);
    checkOptions(this, rollout, ROLLOUT, "rollout");
    this.podName = name;
    this.on = on;
    this.replicas = replicas;
    this.#rollout = rollout === undefined ? undefined : { ...rollout };
    reportMistakes(this);
  }

  /** @internal */
  override toSpec(context: PodContext): PodSpec {
    return {
      ...super.toSpec(context),
      service: this.podName,
      ...(this.#rollout === undefined ? {} : { rollout: rolloutSpec(this.#rollout) }),
    };
  }
}
