import type { Host, HostSnapshot } from "../host/index.ts";
import { NetworkFile, PodFile, readFile } from "./files.ts";
import type { NetworkPlaces } from "./places.ts";
import { RESOLV_FILES } from "./texts.ts";

/** A network as its files say. */
export interface HeldNetwork {
  readonly bridge: string;
  readonly network: NetworkFile | undefined;
  readonly pods: readonly PodFile[];
  readonly snapshot: HostSnapshot;
}

/** The files of a host's networks; one that says what it said before is not checked again. */
export class NetworkFiles {
  readonly #host: Host;
  readonly #places: NetworkPlaces;
  readonly #known = new Map<string, { readonly text: string; readonly file: PodFile }>();

  constructor({ host, places }: { readonly host: Host; readonly places: NetworkPlaces }) {
    this.#host = host;
    this.#places = places;
  }

  /** @param podName of interest is this generation alone; absent: all of the network's */
  async read(bridge: string, podName = "*"): Promise<HeldNetwork> {
    const places = this.#places;
    const file = places.networkFile(bridge);
    const snapshot = await this.#host.snapshot({
      files: [file, places.podFile(bridge, podName), ...(podName === "*" ? RESOLV_FILES : [])],
    });
    const pods = [...snapshot.files]
      .filter(([path]) => path.startsWith(`${places.podsDirectory(bridge)}/`))
      .flatMap(([path, text]) => this.#podFile(path, text) ?? []);
    return { bridge, network: readFile(NetworkFile, snapshot.files.get(file)), pods, snapshot };
  }

  /** The networks that a generation is in, or was about to be, and its file in each. */
  async find(
    podName: string,
  ): Promise<readonly { readonly bridge: string; readonly file: PodFile | undefined }[]> {
    const places = this.#places;
    const { files } = await this.#host.snapshot({
      files: [places.podFile("*", podName), places.unfinishedPodFile("*", podName)],
    });
    const bridges = new Set([...files.keys()].map((path) => places.bridgeOf(path)));
    return [...bridges].map((bridge) => {
      const path = places.podFile(bridge, podName);
      const text = files.get(path);
      return { bridge, file: text === undefined ? undefined : this.#podFile(path, text) };
    });
  }

  #podFile(path: string, text: string | Error): PodFile | undefined {
    const known = this.#known.get(path);
    if (known !== undefined && known.text === text) return known.file;
    this.#known.delete(path);
    const file = readFile(PodFile, text);
    if (file !== undefined && typeof text === "string") this.#known.set(path, { text, file });
    return file;
  }
}
