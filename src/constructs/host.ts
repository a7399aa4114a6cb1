import { Construct } from "constructs";
import type { PullWay } from "../model/index.ts";
import { checkDefaults, copyDefaults, POD_DEFAULTS, type PodDefaults } from "./defaults.ts";
import type { Engine } from "./engine.ts";
import type { SelectableHost } from "./hosts.ts";
import { checkOptions, checkValue, type OptionNames } from "./options.ts";
import { markScope, reportMistakes } from "./scopes.ts";
import type { Size } from "./size.ts";

/** Properties of {@link Host}. */
export interface HostProps {
  /**
   * Where it is: `local`, or `ssh://user@host:port`. User and port may be left out, and the host be an alias:
   * your ssh configuration counts.
   */
  readonly address: string;
  /**
   * Words of your own to place services by.
   *
   * @defaultValue - none
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * What runs its pods.
   *
   * @defaultValue - the engine of the fleet's defaults
   */
  readonly engine?: Engine;
  /**
   * Who gets an image that it lacks: it asks the registry itself (`host`), this machine sends what is missing
   * (`controller`), or nobody, and it has to be there (`never`).
   *
   * @defaultValue - over ssh the host, and what it cannot get is sent; on this machine there is no difference
   */
  readonly pull?: PullWay;
  /**
   * How much of images is sent to it in a second, at most.
   *
   * @defaultValue - as much as the connection takes
   */
  readonly pullPerSecond?: Size;
  /**
   * Directory on the host for records, volumes and logs.
   *
   * @defaultValue /var/lib/stowage
   */
  readonly stateDir?: string;
  /**
   * Directory on the host for what a reboot ends: the lock, network namespaces.
   *
   * @defaultValue /run/stowage
   */
  readonly runDir?: string;
  /**
   * What its pods have unless they say otherwise, over the fleet's defaults.
   *
   * @defaultValue - the fleet's defaults
   */
  readonly defaults?: PodDefaults;
  /**
   * Name of the host in its fleet.
   *
   * @defaultValue - the construct's id
   */
  readonly name?: string;
}

const HOST: OptionNames<HostProps> = {
  address: true,
  labels: true,
  engine: true,
  pull: true,
  pullPerSecond: true,
  stateDir: true,
  runDir: true,
  defaults: true,
  name: true,
};

/** A host, as others refer to it. */
export interface IHost extends SelectableHost {}

/** A Linux machine, the engine that it runs, and the pods that belong on it. */
export class Host extends Construct implements IHost {
  readonly hostName: string;
  readonly address: string;
  readonly engine: Engine | undefined;
  readonly pull: PullWay | undefined;
  readonly pullPerSecond: Size | undefined;
  readonly stateDir: string | undefined;
  readonly runDir: string | undefined;
  readonly defaults: PodDefaults;
  readonly #labels: Map<string, string>;

  /** @param scope The fleet that it is a part of. */
  constructor(scope: Construct, id: string, props: HostProps) {
    super(scope, id);
    markScope(this, "host");
    checkOptions(this, props, HOST);
    checkValue(this, props.engine, "engine");
    checkDefaults(this, props.defaults, POD_DEFAULTS);
    this.hostName = props.name ?? id;
    this.address = props.address;
    this.engine = props.engine;
    this.pull = props.pull;
    this.pullPerSecond = props.pullPerSecond;
    this.stateDir = props.stateDir;
    this.runDir = props.runDir;
    this.defaults = copyDefaults(props.defaults ?? {});
    this.#labels = new Map(Object.entries(props.labels ?? {}));
    reportMistakes(this);
  }

  /** A copy of its labels. */
  get labels(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#labels);
  }

  /** @throws Error when the label has another value already. */
  addLabel(key: string, value: string): void {
    const present = this.#labels.get(key);
    if (present !== undefined && present !== value) {
      throw new Error(
        `Cannot set label "${key}" of "${this.node.path}": it has another value already; set it once`,
      );
    }
    this.#labels.set(key, value);
  }
}
