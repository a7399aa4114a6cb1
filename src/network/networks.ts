import type { PodInstance, PodNetwork } from "../engine/index.ts";
import type { Host } from "../host/index.ts";
import type { PodIdentity } from "../model/index.ts";
import { chooseAddress, chooseSubnet, gatewayOf, hardwareAddress, prefixOf } from "./addresses.ts";
import {
  isOfSamePod,
  NetworkFile,
  networkFileOf,
  type PodFile,
  podFileOf,
  portTurn,
  readFile,
} from "./files.ts";
import { readSubnets } from "./look.ts";
import { bridgeKey, looked } from "./looked.ts";
import { MOUNTS, mountedPaths } from "./mounts.ts";
import { type HeldNetwork, NetworkFiles } from "./network-files.ts";
import { type NetworkPlaces, podNameOf } from "./places.ts";
import { type PodLinks, podLinks } from "./pod-links.ts";
import { chainsOf, removalText, restoreText } from "./rules.ts";
import { runScript } from "./run-script.ts";
import { DETACH, LOOK, SYNC } from "./scripts.ts";
import { hostsText, resolvText } from "./texts.ts";
import { shareTurn, takeTurn } from "./turns.ts";

/** Where networks are made, and for which engine. */
export interface NetworksParts {
  readonly host: Host;
  readonly places: NetworkPlaces;
  /** What tells the engine from others of the host. */
  readonly engine: string;
}

/**
 * The networks of a host, for the pods of one engine. A network is there while a generation is in it:
 * the first one makes it, the last one takes it away.
 *
 * What is to be is written in files first and made of them afterwards, so that whatever was interrupted is
 * found by its file and made again, or removed.
 */
export class Networks {
  readonly #parts: NetworksParts;
  readonly #files: NetworkFiles;
  /** Namespaces that were made for a start that comes next. */
  readonly #held = new Set<string>();

  readonly #links: PodLinks;

  constructor(parts: NetworksParts) {
    this.#parts = parts;
    this.#files = new NetworkFiles(parts);
    this.#links = podLinks(parts.host);
  }

  /** What containers of a pod join. */
  networkOf({ identity, spec }: PodInstance): PodNetwork {
    const { places } = this.#parts;
    const bridge = places.bridge(identity, spec);
    return {
      namespace: places.namespace(bridge, podNameOf(identity)),
      files: {
        "/etc/hosts": places.hostsFile(bridge),
        "/etc/resolv.conf": places.resolvFile(bridge),
      },
    };
  }

  /** Makes a generation's namespace, and its network where it is the first there: without an address. */
  async hold(pod: PodInstance): Promise<void> {
    const { places } = this.#parts;
    const bridge = places.bridge(pod.identity, pod.spec);
    const podName = podNameOf(pod.identity);
    await this.#enter(bridge, pod, (address) => address);
    if (!looked.has(this.#key(bridge))) await this.#sync(bridge);
    const namespace = places.namespace(bridge, podName);
    const args = [namespace, "", places.link(podName), "", "", "", "", ""];
    await this.#links.attach(pod.identity.pod, ...args);
    this.#held.add(namespace);
  }

  /**
   * Gives a generation its address, its names and its ports; all that is there already stays.
   *
   * @param namespace what is known of it: that its file is there, or a process of the pod that is in it
   * @param isAside where another generation has its ports, they stay there
   */
  async attach(
    pod: PodInstance,
    namespace: "held" | number | undefined,
    isAside = false,
  ): Promise<void> {
    const { places } = this.#parts;
    const { identity } = pod;
    const bridge = places.bridge(identity, pod.spec);
    const { subnet, address } = await this.#enter(
      bridge,
      pod,
      (held, network, used) => held ?? chooseAddress(network.subnet, identity, used),
      isAside ? "aside" : "taker",
    );
    await this.#sync(bridge);
    const podName = podNameOf(identity);
    const at = address ?? "";
    const args = [
      places.namespace(bridge, podName),
      String(namespace ?? ""),
      places.link(podName),
      bridge,
      at,
      String(prefixOf(subnet)),
      gatewayOf(subnet),
      hardwareAddress(at),
    ];
    await this.#links.attach(identity.pod, ...args);
  }

  /** Whether a generation's namespace is held by its file. */
  async isHeld({ identity, spec }: PodInstance): Promise<boolean> {
    const { host, places } = this.#parts;
    const file = places.namespace(places.bridge(identity, spec), podNameOf(identity));
    // once: later somebody may have taken it away
    if (this.#held.delete(file)) return true;
    const { files } = await host.snapshot({ files: [MOUNTS] });
    return mountedPaths(files.get(MOUNTS)).has(file);
  }

  /** Takes a generation's address, names and ports away; its namespace stays. Not there: nothing happens. */
  async detach(identity: PodIdentity): Promise<void> {
    const { places } = this.#parts;
    for (const { bridge, file } of await this.#files.find(podNameOf(identity))) {
      if (file?.address === undefined) continue;
      const { address: _, aside: __, ...rest } = file;
      const podName = podNameOf(identity);
      await takeTurn(this.#key(bridge), async () => {
        await this.#write(bridge, rest);
        await this.#giveBack(bridge, rest);
      });
      await this.#sync(bridge);
      await this.#links.detach(identity.pod, places.link(podName));
    }
  }

  /** Takes all of a generation away, and its network with the last one. Not there: nothing happens. */
  async drop(podName: string): Promise<void> {
    const { host, places } = this.#parts;
    for (const { bridge, file } of await this.#files.find(podName)) {
      const namespace = places.namespace(bridge, podName);
      this.#held.delete(namespace);
      await this.#links.drop(podName, places.link(podName), namespace);
      await takeTurn(this.#key(bridge), async () => {
        await host.removeFile(places.podFile(bridge, podName));
        if (file !== undefined) await this.#giveBack(bridge, file);
      });
      await this.#sync(bridge);
    }
  }

  /** Takes a network away that no generation is in any more, be it that nothing says what it was. Not there: nothing happens. */
  async removeEmpty(bridge: string): Promise<void> {
    const { host, places } = this.#parts;
    const { entries } = await host.snapshot({ list: [places.root] });
    if (!(entries.get(places.root) ?? []).includes(bridge)) return;
    await shareTurn(this.#key(bridge), async () => {
      const { network, pods } = await this.#files.read(bridge);
      if (pods.length === 0) await this.#remove(bridge, network?.name);
    });
  }

  /** Writes down that a generation is in a network, and that the network is there. */
  async #enter(
    bridge: string,
    pod: PodInstance,
    addressFor: (
      held: string | undefined,
      network: NetworkFile,
      used: ReadonlySet<string>,
    ) => string | undefined,
    turn?: "aside" | "taker",
  ): Promise<{ readonly subnet: string; readonly address: string | undefined }> {
    const { host, places, engine } = this.#parts;
    return await takeTurn(this.#key(bridge), async () => {
      const podName = podNameOf(pod.identity);
      // without an address the others are of no matter
      const { network, pods } = await this.#files.read(
        bridge,
        turn === undefined ? podName : undefined,
      );
      const subnet =
        network?.subnet ?? pod.spec.network?.subnet ?? (await this.#freeSubnet(bridge));
      const wanted = networkFileOf(pod, subnet);
      if (JSON.stringify(network) !== JSON.stringify(wanted)) {
        await host.writeFile(places.networkFile(bridge), JSON.stringify(wanted));
        looked.delete(this.#key(bridge));
      }
      const own = pods.find(({ identity }) => podNameOf(identity) === podName);
      const used = new Set(pods.flatMap(({ address }) => address ?? []));
      const address = addressFor(own?.address, wanted, used);
      const others = pods.filter((each) => each !== own && isOfSamePod(each, pod));
      const isHeld = others.some((each) => each.address !== undefined && each.aside !== true);
      const isNew = turn === "aside" && own?.address === undefined;
      const file = podFileOf(pod, engine, address, isNew ? isHeld : own?.aside === true);
      if (JSON.stringify(own) !== JSON.stringify(file)) await this.#write(bridge, file);
      const changed = turn === "taker" ? portTurn([file, ...others], file) : [];
      for (const each of changed) await this.#write(bridge, each);
      return { subnet, address };
    });
  }

  /** Lets another generation of a pod have its ports, where this one had them and has no address any more. */
  async #giveBack(bridge: string, gone: PodFile): Promise<void> {
    const others = (await this.#files.read(bridge)).pods.filter((each) => isOfSamePod(each, gone));
    for (const each of portTurn(others)) await this.#write(bridge, each);
  }

  async #write(bridge: string, file: PodFile): Promise<void> {
    const { host, places } = this.#parts;
    await host.writeFile(places.podFile(bridge, podNameOf(file.identity)), JSON.stringify(file));
  }

  /** Makes bridge, files and rules of a network what its files say; without a pod, takes them away. */
  async #sync(bridge: string): Promise<void> {
    const key = this.#key(bridge);
    await shareTurn(key, async () => {
      const held = await this.#files.read(bridge);
      if (held.network === undefined) return;
      if (held.pods.length === 0) await this.#remove(bridge, held.network.name);
      else await this.#make(held, held.network);
    });
  }

  async #make({ bridge, pods, snapshot }: HeldNetwork, network: NetworkFile): Promise<void> {
    const { host, places } = this.#parts;
    const key = this.#key(bridge);
    const isKnown = looked.has(key);
    // what leads to our chains is looked for once a process
    const saved = isKnown ? undefined : await this.#savedRules();
    const chains = chainsOf(bridge, network, pods);
    const gateway = gatewayOf(network.subnet);
    const [hosts, resolv] = [hostsText(pods), resolvText(network, snapshot.files)];
    const args = [
      places.directory(bridge),
      bridge,
      gateway,
      String(prefixOf(network.subnet)),
      hardwareAddress(gateway),
      network.internal ? "" : "1",
      isKnown ? "" : "1",
    ];
    await runScript(host, SYNC, args, {
      doing: `create network "${network.name}" (${bridge})`,
      env: {
        STW_HOSTS: hosts,
        STW_HOSTS_BYTES: String(Buffer.byteLength(hosts)),
        STW_RESOLV: resolv,
        STW_RESOLV_BYTES: String(Buffer.byteLength(resolv)),
      },
      stdin: restoreText(
        isKnown ? chains.map(({ jump: _, ...chain }) => chain) : chains,
        saved ?? "",
      ),
    });
    looked.add(key);
  }

  async #remove(bridge: string, name: string | undefined): Promise<void> {
    const { host, places } = this.#parts;
    looked.delete(this.#key(bridge));
    const doing = `remove network ${name === undefined ? bridge : `"${name}" (${bridge})`}`;
    const stdin = removalText(bridge, await this.#savedRules());
    await runScript(host, "exec iptables-restore --noflush -w 10", [], { doing, stdin });
    await runScript(host, DETACH, [bridge], { doing });
    await host.removeDirectory(places.directory(bridge));
  }

  async #savedRules(): Promise<string> {
    const doing = "read the rules of the host's network";
    return await runScript(this.#parts.host, "exec iptables-save", [], { doing });
  }

  async #freeSubnet(bridge: string): Promise<string> {
    const { host, places } = this.#parts;
    const doing = "read the addresses of the host";
    const taken = readSubnets(await runScript(host, LOOK, [], { doing }));
    const { files } = await host.snapshot({ files: [places.networkFile("*")] });
    const planned = [...files.values()].flatMap(
      (text) => readFile(NetworkFile, text)?.subnet ?? [],
    );
    return chooseSubnet(bridge, [...taken.map(({ subnet }) => subnet), ...planned]);
  }

  #key(bridge: string): string {
    return bridgeKey(this.#parts.host, this.#parts.places, bridge);
  }
}
