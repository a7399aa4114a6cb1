import {
  attributesOf,
  ContainerSpec,
  isSecret,
  PodSpec as PodSchema,
  type PodSpec,
} from "../../../model/index.ts";

/** Attributes of a container whose value rkt's manifest or the kernel tells for certain. */
const TOLD = new Set([
  "command",
  "args",
  "env.*",
  "workingDir",
  "user",
  "mounts[*].volume",
  "mounts[*].path",
  "mounts[*].readOnly",
  "resources.cpuMillis",
  "resources.cpuShares",
  "resources.cpuset",
  "resources.memoryBytes",
  "resources.memoryReservationBytes",
  "resources.memorySwapBytes",
  "resources.pidsMax",
]);

const TOLD_OF_POD = new Set(["hostname", "network.mode"]);

/** A number, or two with a colon, written the one way in which they are reported. */
const NUMERIC_USER = /^(?:0|[1-9]\d*)(?::(?:0|[1-9]\d*))?$/;

/** Paths of a container's declared attributes that can be reported later. */
export function declaredPaths(spec: ContainerSpec): readonly string[] {
  const plain = Object.entries(spec.env ?? {}).filter(([, value]) => !isSecret(value));
  const told = { ...spec, ...(spec.env === undefined ? {} : { env: Object.fromEntries(plain) }) };
  return [...attributesOf(ContainerSpec, told).values()]
    .filter(({ fieldPath }) => TOLD.has(fieldPath))
    .filter(({ fieldPath }) => fieldPath !== "user" || NUMERIC_USER.test(spec.user ?? ""))
    .map(({ path }) => path);
}

/** Paths of a pod's own declared attributes that can be reported later. */
export function podDeclaredPaths({ hostname, network }: PodSpec): readonly string[] {
  return [...attributesOf(PodSchema, { hostname, network }).values()]
    .filter(({ fieldPath }) => TOLD_OF_POD.has(fieldPath))
    .map(({ path }) => path);
}
