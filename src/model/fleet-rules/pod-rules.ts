import { isNetworked, type Port, portKey } from "../network.ts";
import { hasNobodys } from "../subnet.ts";
import { type Findings, mistake, type PodPlace, warning } from "./rule.ts";

/** Rules between the fields of one pod. */
export function* podRules(place: PodPlace): Findings {
  yield* portRules(place);
  yield* networkRules(place);
  yield* volumeRules(place);
  const { path, pod } = place;
  if (pod.restart?.maxRetries !== undefined && pod.restart.policy !== "on-failure") {
    yield mistake(
      `${path}.restart.maxRetries`,
      `the policy ${pod.restart.policy} has no number of retries`,
      "remove it, or use the policy on-failure",
    );
  }
  const isBridge = pod.network?.mode === "bridge";
  if (pod.replacement === "start-first" && !isBridge && (pod.ports ?? []).length > 0) {
    yield mistake(
      `${path}.replacement`,
      "the new pod cannot start while the old one holds its host ports",
      "use stop-first, remove the ports, or set network: Network.bridge(…), where they are handed over",
    );
  }
}

function* portRules({ path, pod }: PodPlace): Findings {
  const mode = pod.network?.mode ?? "none";
  for (const port of pod.ports ?? []) {
    const place = `${path}.ports[${portKey(port)}]`;
    yield* hostIpRules(`${place}.hostIp`, port);
    if (mode === "none") {
      yield mistake(
        place,
        "a pod with network mode none cannot publish a host port",
        "set network: Network.bridge(…) (mode bridge) or Network.host() (mode host)",
      );
    }
    if (isNetworked(pod)) continue;
    if (port.container !== undefined && port.container !== port.host) {
      yield mistake(
        place,
        `host port ${port.host} cannot map to container port ${port.container}: in the host's network they are the same port`,
        `let the container listen on ${port.host}, set host to ${port.container}, or set network: Network.bridge(…)`,
      );
    }
    if (port.hostIp !== undefined && mode === "host") {
      yield mistake(
        `${place}.hostIp`,
        "in the host's network the container itself chooses the addresses that it listens on",
        "remove it, or set network: Network.bridge(…)",
      );
    }
  }
}

function* hostIpRules(place: string, { hostIp }: Port): Findings {
  if (hostIp === undefined || !hasNobodys(hostIp)) return;
  yield mistake(
    place,
    `${hostIp} cannot be an address of a host`,
    "name an address of the host, or remove hostIp to publish the port on all of them",
  );
}

function* networkRules({ path, pod }: PodPlace): Findings {
  if (pod.network?.mode !== "host") return;
  for (const name of Object.keys(pod.sysctls ?? {})) {
    if (!name.startsWith("net.")) continue;
    yield mistake(
      `${path}.sysctls[${JSON.stringify(name)}]`,
      `${name} would change the network of the host itself`,
      "set it on the host, or use network mode none",
    );
  }
}

function* volumeRules({ path, pod }: PodPlace): Findings {
  const mounted = new Set(
    Object.values(pod.containers).flatMap(({ mounts }) =>
      (mounts ?? []).map(({ volume }) => volume),
    ),
  );
  for (const name of Object.keys(pod.volumes ?? {})) {
    if (mounted.has(name)) continue;
    yield warning(
      `${path}.volumes.${name}`,
      "no container mounts it",
      "add it to mounts, or remove it",
    );
  }
}
