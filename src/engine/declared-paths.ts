import {
  attributesOf,
  ContainerSpec,
  isNetworked,
  isSecret,
  PodSpec as PodSchema,
  type PodSpec,
} from "../model/index.ts";
import { DEFAULT_CAPABILITIES } from "./default-capabilities.ts";

/** Attributes of a container whose value a container's stored form or the kernel tells for certain. */
const TOLD = new Set([
  "command",
  "args",
  "env.*",
  "workingDir",
  "user",
  "mounts[*].volume",
  "mounts[*].path",
  "mounts[*].readOnly",
  "readOnlyRootFilesystem",
  "shmBytes",
  "resources.cpuMillis",
  "resources.cpuShares",
  "resources.cpuset",
  "resources.memoryBytes",
  "resources.memoryReservationBytes",
  "resources.memorySwapBytes",
  "resources.pidsMax",
  "ulimits.*.soft",
  "ulimits.*.hard",
  "oomScoreAdj",
  "security.privileged",
  "security.capabilitiesAdd",
  "security.capabilitiesDrop",
  "security.seccomp",
  "security.noNewPrivileges",
  "security.unmaskPaths",
  "logging.mode",
  "logging.maxBytes",
  "logging.maxFiles",
]);

const TOLD_OF_POD = new Set(["hostname", "sysctls.*", "network.mode"]);

/** A number, or two with a colon, written the one way in which they are reported. */
const NUMERIC_USER = /^(?:0|[1-9]\d*)(?::(?:0|[1-9]\d*))?$/;

/**
 * Paths of a container's declared attributes that can be reported later.
 *
 * @param told fields whose value an engine reports for certain
 */
export function declaredPaths(
  spec: ContainerSpec,
  told: ReadonlySet<string> = TOLD,
): readonly string[] {
  const secrets = new Set(
    Object.entries(spec.env ?? {}).flatMap(([name, value]) => (isSecret(value) ? [name] : [])),
  );
  const plain = {
    ...spec,
    ...(spec.env === undefined
      ? {}
      : {
          env: Object.fromEntries(Object.entries(spec.env).filter(([name]) => !secrets.has(name))),
        }),
  };
  return [...attributesOf(ContainerSpec, plain).values()]
    .filter(({ fieldPath }) => told.has(fieldPath) && isTold(fieldPath, spec))
    .map(({ path }) => path);
}

/** Paths of a pod's own declared attributes that can be reported later. */
export function podDeclaredPaths(spec: PodSpec): readonly string[] {
  const { hostname, sysctls } = spec;
  // a network that is made around the engine is not its own: whoever made it tells of it
  const network = isNetworked(spec) ? undefined : spec.network;
  return [...attributesOf(PodSchema, { hostname, sysctls, network }).values()]
    .filter(({ fieldPath }) => TOLD_OF_POD.has(fieldPath))
    .map(({ path }) => path);
}

/** Whether what is declared can be read back in the very form in which it was declared. */
function isTold(fieldPath: string, { user, security }: ContainerSpec): boolean {
  if (fieldPath === "user") return NUMERIC_USER.test(user ?? "");
  if (!fieldPath.startsWith("security.") || fieldPath === "security.privileged") return true;
  // a privileged container has all of it, whatever the other fields say
  if (security?.privileged === true) return false;
  if (!fieldPath.startsWith("security.capabilities")) return true;
  const [add, drop] = [security?.capabilitiesAdd ?? [], security?.capabilitiesDrop ?? []];
  return (
    add.every((name) => name !== "ALL" && !DEFAULT_CAPABILITIES.includes(name)) &&
    drop.every((name) => DEFAULT_CAPABILITIES.includes(name))
  );
}
