import { Construct } from "constructs";
import type { ContainerSpec } from "../model/index.ts";
import { checkContainer, checkMount } from "./check-container.ts";
import type { ContainerProps, MountProps } from "./container-props.ts";
import {
  type ContainerContext,
  containerSpec,
  type FixedSpec,
  fixedSpec,
} from "./container-spec.ts";
import { copyData } from "./copy-data.ts";
import { type DraftFile, draftFile, type FileLike, fileSpec } from "./files.ts";
import { reportMistakes, requireScope } from "./scopes.ts";
import { Secret } from "./secret.ts";

/** A container, as others refer to it. */
export interface IContainer {
  /** Name of the container in its pod. */
  readonly containerName: string;
}

/** One process of a pod, or of each pod of a service. */
export class Container extends Construct implements IContainer {
  readonly containerName: string;
  readonly #fixed: FixedSpec;
  readonly #own: Pick<ContainerProps, "logging" | "security" | "stopGracePeriod">;
  readonly #env: Map<string, string | Secret>;
  readonly #mounts: MountProps[] = [];
  readonly #files = new Map<string, DraftFile>();

  /** @param scope The pod or service that it is a part of. */
  constructor(scope: Construct, id: string, props: ContainerProps) {
    super(scope, id);
    requireScope(this, "pod");
    const { logging, security, stopGracePeriod, env = {}, mounts = [], files = {} } = props;
    checkContainer(this, props);
    this.containerName = id;
    this.#fixed = fixedSpec(props);
    this.#own = {
      ...(logging === undefined ? {} : { logging: { ...logging } }),
      ...(security === undefined ? {} : { security: copyData(security) }),
      ...(stopGracePeriod === undefined ? {} : { stopGracePeriod }),
    };
    this.#env = new Map(Object.entries(env));
    for (const mount of mounts) this.addMount(mount);
    for (const [path, file] of Object.entries(files)) this.addFile(path, file);
    reportMistakes(this);
  }

  /** A copy of the environment. */
  get env(): Readonly<Record<string, string | Secret>> {
    return Object.fromEntries(this.#env);
  }

  /** @throws Error when the variable has another value already. */
  addEnv(name: string, value: string | Secret): void {
    const present = this.#env.get(name);
    if (present !== undefined && present !== value) {
      throw new Error(
        `Cannot set env "${name}" of "${this.node.path}": it has another value already; set it once`,
      );
    }
    this.#env.set(name, value);
  }

  /** Lets the container see one more volume. */
  addMount(mount: MountProps): void {
    checkMount(this, mount, this.#mounts.length);
    this.#mounts.push({ ...mount });
  }

  /**
   * Lets the container see a file.
   *
   * @throws Error when there is one at this path already, or a file beside the app cannot be read
   */
  addFile(path: string, file: FileLike): void {
    if (this.#files.has(path)) {
      throw new Error(
        `Cannot add file "${path}" to "${this.node.path}": it has one already; add it once`,
      );
    }
    this.#files.set(path, draftFile(this, path, file));
  }

  /** @internal */
  toSpec(context: ContainerContext): ContainerSpec {
    const env = [...this.#env].map(([name, value]) => [
      name,
      value instanceof Secret ? value.toReference(this) : value,
    ]);
    const files = [...this.#files].map(([path, file]) => [path, fileSpec(file, this)]);
    const own = {
      ...this.#own,
      env: Object.fromEntries(env),
      mounts: this.#mounts,
      files: Object.fromEntries(files),
    };
    return containerSpec(this.#fixed, own, context);
  }
}
