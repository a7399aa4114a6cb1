import { hash } from "node:crypto";
import type { PodInstance, PodNetwork } from "../../engine/index.ts";
import type { Host } from "../../host/index.ts";
import { type PodIdentity, portKey } from "../../model/index.ts";
import { readFile } from "../files.ts";
import { forwardRules, readLook } from "../look.ts";
import { MOUNTS, mountedPaths } from "../mounts.ts";
import { podNameOf } from "../places.ts";
import { runScript } from "../run-script.ts";
import { ATTACH, LOOK } from "../scripts.ts";
import { hostsText, RESOLV_FILES, resolvText } from "../texts.ts";
import { takeTurn } from "../turns.ts";
import { cniError, pluginDirsOf, pluginTexts, readCniConfig } from "./cni-config.ts";
import { CniPodFile, type CniResult, cniOf, cniPodFileOf, readResult } from "./cni-files.ts";
import type { CniPlaces } from "./cni-places.ts";
import { CNI_ADD, CNI_DEL, CNI_DROP, CNI_PUT } from "./cni-scripts.ts";

/** Where networks of the host's own are used, and for which engine. */
export interface CniParts {
  readonly host: Host;
  readonly places: CniPlaces;
  /** What tells the engine from others of the host. */
  readonly engine: string;
}

/** The longest that plugins of one pod may take. */
const PLUGINS_MS = 180_000;

/**
 * Pods in networks of the host's CNI configuration, for one engine. Its plugins are run in a namespace
 * that Stowage made, which every engine can join.
 *
 * What a plugin is given, and that it is about to be run, is written first; it is undone by what is
 * written, whatever became of the configuration, of Stowage or of the machine since.
 */
export class CniNetworks {
  readonly #parts: CniParts;

  constructor(parts: CniParts) {
    this.#parts = parts;
  }

  /** What containers of a pod join. */
  networkOf(pod: PodInstance): PodNetwork {
    const { places } = this.#parts;
    const network = places.network(pod.identity, cniOf(pod));
    const podName = podNameOf(pod.identity);
    return {
      namespace: places.namespace(network, podName),
      files: {
        "/etc/hosts": places.hostsFile(network),
        "/etc/resolv.conf": places.resolvFile(network, podName),
      },
    };
  }

  /** Makes a generation's namespace and files: its plugins are run when it is started. */
  async hold(pod: PodInstance): Promise<void> {
    const { host, engine } = this.#parts;
    const podName = podNameOf(pod.identity);
    // before anything of it is made: what is not there is said first
    await readCniConfig(host, cniOf(pod));
    const known = await this.#read(podName);
    if (known === undefined) await this.#write(podName, cniPodFileOf(pod, engine));
    await this.#makeNamespace(pod, "");
    await this.#putFiles(pod, undefined);
  }

  /** Gives a generation its address, its names and its ports; what is as it was made stays. */
  async attach(pod: PodInstance, namespace: "held" | number | undefined): Promise<void> {
    const { host, engine } = this.#parts;
    const { identity } = pod;
    const [podName, wanted] = [podNameOf(identity), cniOf(pod)];
    const config = await readCniConfig(host, wanted);
    const texts = pluginTexts(config, wanted, pod.spec.ports ?? []);
    const digest = hash("sha256", JSON.stringify(texts));
    const known = await this.#read(podName);
    const isWhole = known !== undefined && !(await this.#hasLostForwards(known));
    const { address: _, forwards: __, config: ___, ...held } = known ?? cniPodFileOf(pod, engine);
    // what was begun is found by its file
    if (known?.config !== digest) await this.#write(podName, held);
    if (namespace !== "held") await this.#makeNamespace(pod, namespace ?? "");
    const { bootId } = await host.snapshot({});
    const env = Object.fromEntries(
      texts.map((text, at) => [`STW_CNI_${10 + at}`, text.slice(0, -1)]),
    );
    const said = await runScript(
      host,
      CNI_ADD,
      [
        ...this.#place(pod),
        pluginDirsOf(wanted).join(":"),
        isWhole ? `${digest} ${bootId}` : "",
        config.checks ? "1" : "",
        ...config.plugins.map(({ type }) => type),
      ],
      { doing: `attach pod "${identity.pod}" to CNI network "${wanted.name}"`, env, ...RUNNING },
    );
    const result = readResult(said);
    if (result?.address === undefined) {
      await this.#takeBack(podName, this.#place(pod), identity.pod);
      throw cniError(wanted, NO_ADDRESS, "configure ipam to give one, or choose another network");
    }
    const file = { ...held, address: result.address, config: digest };
    const forwards = file.ports.length > 0 && (await this.#areForwarded(file));
    await this.#write(podName, { ...file, forwards });
    await this.#putFiles(pod, result);
  }

  /** Whether a generation's namespace is held by its file. */
  async isHeld(pod: PodInstance): Promise<boolean> {
    const { files } = await this.#parts.host.snapshot({ files: [MOUNTS] });
    return mountedPaths(files.get(MOUNTS)).has(this.networkOf(pod).namespace);
  }

  /** Takes a generation's address, names and ports away; its namespace stays. Not there: nothing happens. */
  async detach(identity: PodIdentity): Promise<void> {
    const podName = podNameOf(identity);
    const file = await this.#read(podName);
    if (file === undefined) return;
    await this.#takeBack(podName, this.#placeOf(file), identity.pod);
    const { address, config: _, forwards: __, ...rest } = file;
    if (address === undefined) return;
    await this.#write(podName, rest);
    await this.#putHosts(file);
  }

  /** Takes all of a generation away. Not there: nothing happens. */
  async drop(podName: string): Promise<void> {
    const { host, places } = this.#parts;
    const file = await this.#read(podName);
    if (file !== undefined) {
      const network = places.network(file.identity, file.cni);
      const namespace = places.namespace(network, podName);
      // plugins look for what they made in the namespace: it goes after that
      await this.#takeBack(podName, this.#placeOf(file), file.identity.pod);
      await runScript(host, CNI_DROP, [namespace, places.resolvFile(network, podName)], {
        doing: `remove the network of "${podName}"`,
      });
    }
    await host.removeDirectory(places.directory(podName));
    if (file !== undefined) await this.#putHosts(file);
  }

  async #takeBack(podName: string, place: readonly string[], pod: string): Promise<void> {
    await runScript(this.#parts.host, CNI_DEL, place, {
      doing: `detach pod "${pod}" from its CNI network (${podName})`,
      ...RUNNING,
    });
  }

  async #makeNamespace(pod: PodInstance, known: "" | number): Promise<void> {
    const { namespace } = this.networkOf(pod);
    await runScript(this.#parts.host, ATTACH, [namespace, String(known), "", "", "", "", "", ""], {
      doing: `create the network namespace of pod "${pod.identity.pod}"`,
    });
  }

  async #putFiles(pod: PodInstance, result: CniResult | undefined): Promise<void> {
    const { host, places } = this.#parts;
    const file = cniPodFileOf(pod, this.#parts.engine);
    await this.#putHosts(file);
    const network = places.network(file.identity, file.cni);
    const { files } = await host.snapshot({ files: RESOLV_FILES });
    const ofHost = resolvText({ dns: [], internal: false }, files);
    const text = result === undefined || result.resolv === "" ? ofHost : result.resolv;
    await this.#put(places.resolvFile(network, podNameOf(pod.identity)), text);
  }

  /** Writes the names of a network's pods; with the last one the file goes. */
  async #putHosts({ identity, cni }: CniPodFile): Promise<void> {
    const { host, places } = this.#parts;
    const network = places.network(identity, cni);
    await takeTurn(`${host.address} ${network}`, async () => {
      const { files } = await host.snapshot({ files: [places.podFile("*")] });
      const pods = [...files.values()]
        .flatMap((text) => readFile(CniPodFile, text) ?? [])
        .filter((each) => places.network(each.identity, each.cni) === network);
      if (pods.length === 0) await host.removeDirectory(network);
      else await this.#put(places.hostsFile(network), hostsText(pods));
    });
  }

  async #put(path: string, text: string): Promise<void> {
    await runScript(this.#parts.host, CNI_PUT, [path], {
      doing: `write ${path}`,
      env: { STW_TEXT_0: text, STW_BYTES_0: String(Buffer.byteLength(text)) },
    });
  }

  async #hasLostForwards(file: CniPodFile): Promise<boolean> {
    return file.forwards === true && !(await this.#areForwarded(file));
  }

  async #areForwarded(file: CniPodFile): Promise<boolean> {
    const doing = "read the rules of the host's network";
    return areForwarded(file, await runScript(this.#parts.host, LOOK, [], { doing }));
  }

  async #read(podName: string): Promise<CniPodFile | undefined> {
    const path = this.#parts.places.podFile(podName);
    const { files } = await this.#parts.host.snapshot({ files: [path] });
    return readFile(CniPodFile, files.get(path));
  }

  async #write(podName: string, file: CniPodFile): Promise<void> {
    await this.#parts.host.writeFile(this.#parts.places.podFile(podName), JSON.stringify(file));
  }

  #place(pod: PodInstance): readonly string[] {
    return this.#placeOf(cniPodFileOf(pod, this.#parts.engine));
  }

  #placeOf(file: CniPodFile): readonly string[] {
    return placeOf(this.#parts.places, file);
  }
}

const RUNNING = {
  timeoutMs: PLUGINS_MS,
  remedy: "check the plugin's message and the host's CNI configuration",
};
const NO_ADDRESS = "its plugins gave no IPv4 address";

/** What scripts get of a generation: its directory, its namespace, and what plugins know it by. */
export function placeOf(places: CniPlaces, { identity, cni }: CniPodFile): readonly string[] {
  const podName = podNameOf(identity);
  const namespace = places.namespace(places.network(identity, cni), podName);
  return [places.directory(podName), namespace, podName];
}

/** Whether rules lead all ports of a generation to it. */
export function areForwarded({ ports, address }: CniPodFile, look: string): boolean {
  const led = new Set(
    forwardRules(readLook(look).rules)
      .filter(({ to }) => to.startsWith(`${address}:`))
      .map(({ first, protocol, hostIp }) =>
        portKey({ host: first, protocol, ...(hostIp === undefined ? {} : { hostIp }) }),
      ),
  );
  return ports.every((port) => led.has(portKey(port)));
}
