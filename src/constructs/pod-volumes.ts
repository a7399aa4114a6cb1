import type { PodSpec, Volume as VolumeSpec } from "../model/index.ts";
import type { MountProps } from "./container-props.ts";
import { type IVolume, VolumeSource } from "./volume.ts";

/** A volume as a declaration passes it. */
export type VolumeLike = IVolume | VolumeSource;

/** The volumes of one pod: those it names, and those that its containers mount directly. */
export class PodVolumes {
  readonly #byName: Map<string, VolumeLike>;
  readonly #onClash: (name: string) => void;

  /** @param onClash Called with a name that two different volumes would get. */
  constructor(named: Iterable<readonly [string, VolumeLike]>, onClash: (name: string) => void) {
    this.#byName = new Map(named);
    this.#onClash = onClash;
  }

  /**
   * Name of what is mounted. A volume that the pod does not name is called as itself; a path or memory
   * that it does not name, by the path at which it is first mounted.
   */
  nameOf({ volume, path }: MountProps): string {
    if (typeof volume === "string") return volume;
    for (const [name, known] of this.#byName) if (known === volume) return name;
    const name = volume instanceof VolumeSource ? nameOfPath(path) : volume.volumeName;
    if (this.#byName.has(name)) this.#onClash(name);
    else this.#byName.set(name, volume);
    return name;
  }

  /** Every volume that has a name by now. */
  values(): readonly VolumeLike[] {
    return [...this.#byName.values()];
  }

  toSpec(): PodSpec["volumes"] {
    if (this.#byName.size === 0) return undefined;
    return Object.fromEntries(
      [...this.#byName].map(([name, volume]): [string, VolumeSpec] => [name, volume.toSpec()]),
    );
  }
}

function nameOfPath(path: string): string {
  const words = path.toLowerCase().split(/[^a-z0-9]+/);
  return (
    words
      .filter((word) => word !== "")
      .join("-")
      .slice(0, 63) || "volume"
  );
}
