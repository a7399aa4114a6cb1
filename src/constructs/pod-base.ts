import { Construct } from "constructs";
import type { Condition, PodSpec, Port } from "../model/index.ts";
import { compact } from "./compact.ts";
import { Container } from "./container.ts";
import type { ContainerProps } from "./container-props.ts";
import type { PodDefaults } from "./defaults.ts";
import type { Network } from "./network.ts";
import { checkOptions, checkValue, type OptionNames } from "./options.ts";
import { PodVolumes, type VolumeLike } from "./pod-volumes.ts";
import type { RestartPolicy } from "./restart-policy.ts";
import { markScope } from "./scopes.ts";

/** A pod, or the pods of a service, as others refer to them. */
export interface IPod {
  /** Name of the pod on its host. */
  readonly podName: string;
}

/** A pod that another one waits for, and until when. */
export interface PodDependencyProps {
  readonly pod: IPod | string;
  /**
   * `started`: its processes were begun; `healthy`: it was proven as well; `completed`: it ended, each
   * container with exit code 0.
   *
   * @defaultValue healthy
   */
  readonly condition?: Condition;
}

/** A pod to wait for; without a condition, until it is healthy. */
export type PodDependencyLike = IPod | string | PodDependencyProps;

/** What a pod, and a service's every pod, consists of. */
export interface PodOptions {
  /**
   * Its containers by name; more can be added as constructs.
   *
   * @defaultValue - none
   */
  readonly containers?: Readonly<Record<string, ContainerProps>>;
  /**
   * Volumes by the name that mounts use; a mount may also pass a volume itself.
   *
   * @defaultValue - none
   */
  readonly volumes?: Readonly<Record<string, VolumeLike>>;
  /** @defaultValue Network.none() */
  readonly network?: Network;
  /**
   * Ports of the host that it answers on; they need `Network.bridge(…)` or `Network.host()`.
   *
   * @defaultValue - none
   */
  readonly ports?: readonly Port[];
  /**
   * Host name seen in its containers.
   *
   * @defaultValue - the pod's name
   */
  readonly hostname?: string;
  /**
   * Kernel parameters of its namespaces.
   *
   * @defaultValue - none
   */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** @defaultValue RestartPolicy.never() */
  readonly restart?: RestartPolicy;
  /**
   * Words of your own to select pods by.
   *
   * @defaultValue - those of the defaults
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Pods that must be healthy, or what else is said with them, before this one is changed: constructs, or
   * names as `pod` (on the same host) or `host/pod`. Of a service it is the pod on the same host; where it has none
   * there, all of them.
   *
   * @defaultValue - none
   */
  readonly dependsOn?: readonly PodDependencyLike[];
  /**
   * Order of a replacement.
   *
   * @defaultValue - stop-first where the pod holds anything exclusive, else start-first
   */
  readonly replacement?: "stop-first" | "start-first";
}

export const POD_OPTIONS: OptionNames<PodOptions> = {
  containers: true,
  volumes: true,
  network: true,
  ports: true,
  hostname: true,
  sysctls: true,
  restart: true,
  labels: true,
  dependsOn: true,
  replacement: true,
};
const DEPENDENCY: OptionNames<PodDependencyProps> = { pod: true, condition: true };

/** What a pod's specification takes from the host that it is placed on. */
export interface PodContext {
  readonly defaults: PodDefaults;
  /** Names by which a dependency is known on that host. */
  dependency(of: IPod | string): readonly string[];
  /** Told of every volume that is used. */
  useVolume(volume: VolumeLike): void;
  /** Told of a mistake at a place in the pod's own fields. */
  report(place: string, summary: string, remedy: string): void;
}

/** The part that pods and services share: what runs. Where it runs is theirs to say. */
export abstract class PodBase extends Construct implements IPod {
  abstract readonly podName: string;
  readonly #options: Omit<PodOptions, "containers" | "volumes" | "ports" | "labels" | "dependsOn">;
  readonly #volumes: Map<string, VolumeLike>;
  readonly #ports: Port[];
  readonly #labels: Map<string, string>;
  readonly #dependsOn: PodDependencyLike[] = [];

  protected constructor(scope: Construct, id: string, options: PodOptions) {
    super(scope, id);
    markScope(this, "pod");
    const {
      containers = {},
      volumes = {},
      ports = [],
      labels = {},
      dependsOn = [],
      ...rest
    } = options;
    const { sysctls } = rest;
    this.#options = { ...rest, ...(sysctls === undefined ? {} : { sysctls: { ...sysctls } }) };
    checkValue(this, rest.network, "network");
    this.#volumes = new Map();
    for (const [name, volume] of Object.entries(volumes)) this.addVolume(name, volume);
    this.#ports = ports.map((port) => ({ ...port }));
    this.#labels = new Map(Object.entries(labels));
    this.addDependency(...dependsOn);
    for (const [name, props] of Object.entries(containers)) new Container(this, name, props);
  }

  /** Containers in the order in which they were declared. */
  get containers(): readonly Container[] {
    return this.node.findAll().filter((each) => each instanceof Container);
  }

  addContainer(name: string, props: ContainerProps): Container {
    return new Container(this, name, props);
  }

  /** @throws Error when the name stands for another volume already. */
  addVolume(name: string, volume: VolumeLike): void {
    checkValue(this, volume, `volumes.${name}`);
    this.#set("volume", this.#volumes, name, volume);
  }

  addPort(port: Port): void {
    this.#ports.push({ ...port });
  }

  /** @throws Error when the label has another value already. */
  addLabel(key: string, value: string): void {
    this.#set("label", this.#labels, key, value);
  }

  /** Lets the pod wait for another. */
  addDependency(...pods: readonly PodDependencyLike[]): void {
    for (const each of pods) {
      if (typeof each !== "string" && "pod" in each)
        checkOptions(this, each, DEPENDENCY, `dependsOn[${this.#dependsOn.length}]`);
      this.#dependsOn.push(each);
    }
  }

  /** @internal */
  toSpec(context: PodContext): PodSpec {
    const volumes = new PodVolumes(this.#volumes, (name) =>
      context.report(
        `volumes.${name}`,
        `two different volumes would be called "${name}"`,
        "name them in volumes of the pod and mount them by these names",
      ),
    );
    const containers = Object.fromEntries(
      this.containers.map((container) => [
        container.containerName,
        container.toSpec({
          defaults: context.defaults,
          volumeName: (mount) => volumes.nameOf(mount),
        }),
      ]),
    );
    for (const volume of volumes.values()) context.useVolume(volume);
    const { network, hostname, sysctls, restart, replacement } = this.#options;
    return compact<PodSpec>({
      containers,
      volumes: volumes.toSpec(),
      network: network?.toSpec(),
      ports: this.#ports.map((port) => ({ ...port })),
      hostname,
      sysctls: sysctls === undefined ? undefined : { ...sysctls },
      restart: restart?.toSpec(),
      labels: { ...context.defaults.labels, ...Object.fromEntries(this.#labels) },
      dependsOn: [...new Set(this.#dependsOn.flatMap((each) => references(each, context)))],
      replacement,
    });
  }

  #set<V>(noun: string, map: Map<string, V>, key: string, value: V): void {
    const present = map.get(key);
    if (present !== undefined && present !== value) {
      throw new Error(
        `Cannot set ${noun} "${key}" of "${this.node.path}": it has another value already; set it once`,
      );
    }
    map.set(key, value);
  }
}

function references(dependency: PodDependencyLike, context: PodContext): readonly string[] {
  if (typeof dependency === "string" || !("pod" in dependency))
    return context.dependency(dependency);
  const { pod, condition = "healthy" } = dependency;
  const names = context.dependency(pod);
  return condition === "healthy" ? names : names.map((name) => `${name}:${condition}`);
}
