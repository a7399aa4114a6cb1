import type { Draft } from "./draft.ts";
import { Host } from "./host.ts";
import type { VolumeLike } from "./pod-volumes.ts";
import { Volume } from "./volume.ts";

/** The named volumes that the pods of one host use. */
export class HostVolumes {
  readonly #host: Host;
  readonly #draft: Draft;
  readonly #byName = new Map<string, Volume>();

  constructor(host: Host, draft: Draft) {
    this.#host = host;
    this.#draft = draft;
  }

  /** Reports a volume that cannot be used on this host; `path` is the pod that uses it. */
  use(volume: VolumeLike, path: string): void {
    if (!(volume instanceof Volume)) return;
    const { volumeName } = volume;
    const place = `${path}.volumes.${volumeName}`;
    const home = volume.node.scopes.find((scope) => scope instanceof Host);
    if (home !== undefined && home !== this.#host) {
      this.#draft.report(
        place,
        `volume "${volumeName}" belongs to host ${home.hostName}, not to ${this.#host.hostName}`,
        "declare it in the fleet to have one of that name on each host",
      );
    }
    const other = this.#byName.get(volumeName);
    if (other === undefined) this.#byName.set(volumeName, volume);
    else if (other !== volume) {
      this.#draft.report(
        place,
        `two volumes are named "${volumeName}" on host ${this.#host.hostName} (${other.node.path}, ${volume.node.path})`,
        "they would be one directory: pass the same construct, or rename one of them",
      );
    }
  }
}
