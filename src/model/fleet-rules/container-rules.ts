import { ARGUMENT_BYTES_MAX, type ContainerSpec } from "../container.ts";
import { DRAIN_TIMEOUT_MS } from "../drain.ts";
import { isNetworked } from "../network.ts";
import type { PodSpec } from "../pod.ts";
import type { Resources } from "../resources.ts";
import type { Security } from "../security.ts";
import { duplicates, type Findings, mistake, type PodPlace } from "./rule.ts";

/** Rules between the fields of the containers of a pod, and between them and the pod's. */
export function* containerRules({ path, pod }: PodPlace): Findings {
  for (const [name, container] of Object.entries(pod.containers)) {
    const place = `${path}.containers.${name}`;
    yield* lengthRules(place, container);
    yield* mountRules(place, container, pod);
    yield* deviceRules(place, container);
    yield* resourceRules(`${place}.resources`, container.resources ?? {});
    yield* ulimitRules(`${place}.ulimits`, container);
    yield* securityRules(`${place}.security`, container.security ?? {});
    yield* healthRules(`${place}.health`, container, pod);
    yield* drainRules(`${place}.drain`, container);
  }
}

function* lengthRules(place: string, { command, args, env }: ContainerSpec): Findings {
  for (const [field, texts] of Object.entries({ command, args }))
    for (const [at, text] of (texts ?? []).entries())
      yield* lengthRule(`${place}.${field}[${at}]`, text, "an argument");
  for (const [name, value] of Object.entries(env ?? {}))
    if (typeof value === "string")
      yield* lengthRule(`${place}.env.${name}`, `${name}=${value}`, "a variable with its name");
}

function* lengthRule(path: string, text: string, noun: string): Findings {
  const bytes = Buffer.byteLength(text) + 1;
  if (bytes <= ARGUMENT_BYTES_MAX) return;
  yield mistake(
    path,
    `it has ${bytes} bytes with its terminating NUL, and the kernel allows ${ARGUMENT_BYTES_MAX} for ${noun}`,
    "let the container read it from a file, which files can give it",
  );
}

function* mountRules(place: string, container: ContainerSpec, pod: PodSpec): Findings {
  const mounts = container.mounts ?? [];
  const volumes = Object.keys(pod.volumes ?? {});
  for (const { volume, path } of mounts) {
    if (path === "/") {
      yield mistake(
        `${place}.mounts[/]`,
        "a volume cannot be mounted on the root directory",
        "mount it below /",
      );
    }
    if (volumes.includes(volume)) continue;
    const known =
      volumes.length === 0 ? "the pod has none" : `the pod's volumes are ${volumes.join(", ")}`;
    yield mistake(
      `${place}.mounts[${path}]`,
      `there is no volume "${volume}"`,
      `${known}; declare it in volumes of the pod`,
    );
  }
  for (const [path, same] of duplicates(mounts, (mount) => mount.path)) {
    const names = same.map(({ volume }) => volume).join(", ");
    yield mistake(
      `${place}.mounts[${path}]`,
      `${path} is mounted more than once (${names})`,
      "keep one",
    );
  }
}

function* deviceRules(place: string, container: ContainerSpec): Findings {
  const devices = container.devices ?? [];
  for (const [path] of duplicates(devices, (device) => device.containerPath ?? device.path)) {
    yield mistake(`${place}.devices[${path}]`, `${path} is given more than once`, "keep one");
  }
}

function* resourceRules(path: string, resources: Resources): Findings {
  const { memoryBytes, memorySwapBytes, memoryReservationBytes } = resources;
  if (memorySwapBytes !== undefined && memoryBytes === undefined) {
    yield mistake(
      `${path}.memorySwapBytes`,
      "a limit of memory and swap together needs a memory limit",
      "set memoryBytes as well",
    );
  } else if (memorySwapBytes !== undefined && memorySwapBytes < (memoryBytes ?? 0)) {
    yield mistake(
      `${path}.memorySwapBytes`,
      `${memorySwapBytes} is less than memoryBytes (${memoryBytes})`,
      "it counts memory and swap together: set it to memoryBytes for no swap, or to more",
    );
  }
  if (memoryBytes !== undefined && (memoryReservationBytes ?? 0) > memoryBytes) {
    yield mistake(
      `${path}.memoryReservationBytes`,
      `${memoryReservationBytes} is more than memoryBytes (${memoryBytes})`,
      "reserve no more than the limit",
    );
  }
}

function* ulimitRules(path: string, container: ContainerSpec): Findings {
  for (const [name, limit] of Object.entries(container.ulimits ?? {})) {
    if (limit === undefined || limit.soft <= limit.hard) continue;
    yield mistake(
      `${path}.${name}`,
      `the soft limit ${limit.soft} is above the hard limit ${limit.hard}`,
      "lower soft or raise hard",
    );
  }
}

function* securityRules(path: string, security: Security): Findings {
  const { capabilitiesAdd = [], capabilitiesDrop = [] } = security;
  for (const capability of capabilitiesAdd) {
    if (!capabilitiesDrop.includes(capability)) continue;
    yield mistake(
      path,
      `${capability} is both added and dropped`,
      "list it in one of capabilitiesAdd and capabilitiesDrop only",
    );
  }
  if (security.privileged !== true) return;
  const against: readonly [string, boolean][] = [
    ["capabilitiesDrop", capabilitiesDrop.length > 0],
    ["seccomp", security.seccomp === "default"],
    ["unmaskPaths", security.unmaskPaths === false],
  ];
  for (const [field, set] of against) {
    if (!set) continue;
    yield mistake(
      `${path}.${field}`,
      "a privileged container has every capability, no filter and no masks",
      `remove ${field}; or remove privileged and add the capabilities that are needed one by one`,
    );
  }
}

function* drainRules(path: string, { drain }: ContainerSpec): Findings {
  if (drain === undefined) return;
  const { command, waitMs = 0, timeoutMs = DRAIN_TIMEOUT_MS } = drain;
  if (command === undefined && waitMs === 0) {
    yield mistake(path, "neither command nor waitMs is set", "set one of them, or remove drain");
  }
  if (waitMs > timeoutMs) {
    yield mistake(
      `${path}.waitMs`,
      `it cannot wait ${waitMs} ms in the ${timeoutMs} ms that it has`,
      "raise timeoutMs",
    );
  }
}

function* healthRules(path: string, container: ContainerSpec, pod: PodSpec): Findings {
  const { health } = container;
  if (health === undefined) return;
  const policy = pod.restart?.policy ?? "no";
  if (health.whenUnhealthy === "restart" && policy !== "always" && policy !== "unless-stopped") {
    yield mistake(
      `${path}.whenUnhealthy`,
      `it stops the pod to start it again, and with restart policy ${policy} the pod could stay stopped`,
      "set restart: { policy: always } on the pod, or leave whenUnhealthy at report",
    );
  }
  if (health.kind === "exec") return;
  // in a network of its own the pod has an address that can be asked
  if (pod.network?.mode === "host" || isNetworked(pod)) return;
  yield mistake(
    path,
    `a probe of kind ${health.kind} cannot reach a pod with network mode none`,
    "set network: Network.bridge(…) (mode bridge) or Network.host() (mode host), or use a probe of kind exec",
  );
}
