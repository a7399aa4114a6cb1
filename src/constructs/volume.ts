import { Construct } from "constructs";
import type { Volume as VolumeSpec } from "../model/index.ts";
import { compact } from "./compact.ts";
import { checkOptions, type OptionNames } from "./options.ts";
import { reportMistakes } from "./scopes.ts";
import type { Size } from "./size.ts";

/** Where the data of a volume lies, without a construct: a path of the host, or memory. */
export class VolumeSource {
  readonly #spec: VolumeSpec;

  /** @internal */
  constructor(spec: VolumeSpec) {
    this.#spec = spec;
  }

  /** @internal */
  toSpec(): VolumeSpec {
    return { ...this.#spec };
  }
}

/** Properties of {@link Volume}. */
export interface VolumeProps {
  /**
   * Name of the volume on its hosts.
   *
   * @defaultValue - the construct's id
   */
  readonly name?: string;
  /**
   * Owner given to the directory when it is made, as a number.
   *
   * @defaultValue - root
   */
  readonly uid?: number;
  /**
   * Group given to the directory when it is made, as a number.
   *
   * @defaultValue - root
   */
  readonly gid?: number;
  /**
   * Mode given to the directory when it is made, octal.
   *
   * @defaultValue 0755
   */
  readonly mode?: string;
}

/** Properties of a volume in memory. */
export interface TmpfsOptions {
  /**
   * Size at most.
   *
   * @defaultValue - the kernel's own limit, half of the memory
   */
  readonly size?: Size;
  /**
   * Mode of its root, octal.
   *
   * @defaultValue 1777
   */
  readonly mode?: string;
}

const VOLUME: OptionNames<VolumeProps> = { name: true, uid: true, gid: true, mode: true };
const TMPFS: OptionNames<TmpfsOptions> = { size: true, mode: true };

/** A volume that pods can mount. */
export interface IVolume {
  /** Name of the volume on its hosts. */
  readonly volumeName: string;
  /** @internal */
  toSpec(): VolumeSpec;
}

/**
 * A named volume: one directory on each host whose pods mount it, shared by those pods. It is kept
 * when its pods go.
 */
export class Volume extends Construct implements IVolume {
  readonly volumeName: string;
  readonly #spec: VolumeSpec;

  /** @param scope A fleet, for pods on any host; or one host, for its pods only. */
  constructor(scope: Construct, id: string, props: VolumeProps = {}) {
    super(scope, id);
    checkOptions(this, props, VOLUME);
    const { name = id, uid, gid, mode } = props;
    this.volumeName = name;
    this.#spec = compact<VolumeSpec>({ kind: "named", name, uid, gid, mode });
    reportMistakes(this);
  }

  /** A file or directory of the host, which must exist. */
  static override bind(path: string): VolumeSource {
    return new VolumeSource({ kind: "bind", path });
  }

  /** Memory that is gone when the pod stops. */
  static tmpfs(options: TmpfsOptions = {}): VolumeSource {
    const { size, mode } = options;
    const memory = new VolumeSource(compact({ kind: "tmpfs", sizeBytes: size?.toBytes(), mode }));
    checkOptions(memory, options, TMPFS);
    return memory;
  }

  /** @internal */
  toSpec(): VolumeSpec {
    return { ...this.#spec };
  }
}
