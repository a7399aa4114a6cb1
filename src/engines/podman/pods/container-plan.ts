import {
  identityLabels,
  type PodInstance,
  processArguments,
  signalNumber,
} from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import {
  type ContainerSpec,
  isNetworked,
  isSecret,
  LABEL_RECORD,
  objectName,
  onceContainers,
  type PodIdentity,
  type PodSpec,
} from "../../../model/index.ts";
import type { PodmanContext } from "../context.ts";
import { environmentInput } from "./environment-arguments.ts";
import { mountArguments } from "./mount-arguments.ts";
import { LABEL_NOTES, notesOf, writeNotes } from "./notes.ts";
import type { PlannedContainer } from "./planned-container.ts";
import { resourceArguments } from "./resource-arguments.ts";
import { securityArguments } from "./security-arguments.ts";

/** Whether a pod becomes one of podman's: with one container, that container is all of it. */
export function isPodmanPod(containers: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(containers).length > 1;
}

/** Name of a container in podman. A pod's only one has the pod's own name. */
export function containerName(
  identity: PodIdentity,
  container: string,
  containers: Readonly<Record<string, unknown>>,
): string {
  return isPodmanPod(containers) ? objectName(identity, container) : objectName(identity);
}

/**
 * Looks up everything that a pod's containers are made of; changes nothing.
 *
 * @throws StowageError `not_found` when an image is not in podman
 * @throws StowageError `failed_precondition` when secrets are not available
 */
export async function planContainers(
  context: PodmanContext,
  pod: PodInstance,
): Promise<readonly PlannedContainer[]> {
  const names = Object.keys(pod.spec.containers).sort();
  return await Promise.all(names.map((name) => planContainer(context, pod, name)));
}

/** The same for one container of a pod. */
export async function planContainer(
  context: PodmanContext,
  pod: PodInstance,
  name: string,
): Promise<PlannedContainer> {
  // a pod has the containers that it names
  const spec = pod.spec.containers[name] as ContainerSpec;
  const image = pod.images[name];
  if (image === undefined) {
    throw new StowageError(`Cannot prepare container "${name}": its image was not resolved`, {
      code: "invalid_argument",
      context: { pod: pod.identity.pod, container: name },
    });
  }
  const environment = environmentOf(pod, name, spec);
  const { id: imageId, defaults } = await context.images.read(image);
  const { args, commandWords } = processArguments(spec, defaults);
  const user = spec.user ?? defaults.user ?? "";
  const notes = notesOf(pod.spec, spec, { commandWords, image, imageId, user });
  const id = containerName(pod.identity, name, pod.spec.containers);
  const labels = {
    ...identityLabels(pod.identity, name),
    [LABEL_RECORD]: pod.recordDigest,
    [LABEL_NOTES]: writeNotes(notes),
  };
  return {
    name,
    id,
    args: [
      ...["--name", id, "--pull", "never"],
      ...Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
      ...PLAIN,
      // 4.3 adds one of its own
      ...(declaresTerm(environment, defaults.env) ? [] : ["--unsetenv", "TERM"]),
      ...placeArguments(pod),
      ...processFlags(context, spec, user),
      ...restartArguments(pod.spec),
      ...mountArguments({
        pod: pod.spec,
        container: spec,
        volumeDirs: pod.volumeDirs,
        inPod: isPodmanPod(pod.spec.containers),
        files: pod.network?.files ?? {},
      }),
      // as one list: what is said apart from it would be put after the image's own
      ...["--entrypoint", JSON.stringify(args), imageId],
    ],
    environment: () => environmentInput(environment, name),
  };
}

/** What podman adds of itself and no other engine does. */
const PLAIN: readonly string[] = [
  "--http-proxy=false",
  "--systemd=false",
  "--no-healthcheck",
  "--read-only-tmpfs=false",
  // else each would get a volume without a name
  ...["--image-volume", "ignore"],
];

function declaresTerm(
  environment: Readonly<Record<string, string>>,
  image: readonly string[] = [],
): boolean {
  return environment["TERM"] !== undefined || image.some((entry) => entry.startsWith("TERM="));
}

function placeArguments(pod: PodInstance): readonly string[] {
  const { identity, spec } = pod;
  const hostname = ["--hostname", spec.hostname ?? identity.pod];
  const own = sysctlArguments(spec, (name) => !isOfNetwork(name));
  const network = ["--network", networkArgument(pod), ...sysctlArguments(spec, isOfNetwork)];
  if (!isPodmanPod(spec.containers)) return [...network, ...hostname, ...own];
  const member = ["--pod", objectName(identity), ...hostname, ...own];
  return joinsNamespace(spec) ? [...member, ...network] : member;
}

/** Whether each container of a podman pod joins a namespace itself: a podman pod cannot be given one. */
export function joinsNamespace(spec: PodSpec): boolean {
  return isNetworked(spec);
}

/** The network of a pod as it is given to podman: one that podman did not create, by its namespace. */
export function networkArgument({ identity, spec, network }: PodInstance): string {
  const mode = spec.network?.mode ?? "none";
  if (!isNetworked(spec)) return mode;
  if (network !== undefined) return `ns:${network.namespace}`;
  throw new StowageError(`Cannot prepare pod "${identity.pod}": its network does not exist`, {
    code: "internal",
  });
}

/** Whether a kernel parameter belongs to the network namespace, which a pod's containers share. */
export function isOfNetwork(sysctl: string): boolean {
  return sysctl.startsWith("net.");
}

/** Flags for those kernel parameters that are chosen. */
export function sysctlArguments(
  spec: PodSpec,
  chosen: (name: string) => boolean,
): readonly string[] {
  return Object.entries(spec.sysctls ?? {})
    .filter(([name]) => chosen(name))
    .flatMap(([name, value]) => ["--sysctl", `${name}=${value}`]);
}

function processFlags(
  { facts }: PodmanContext,
  spec: ContainerSpec,
  user: string,
): readonly string[] {
  const { ulimits = {}, devices = [], additionalGroups = [], logging } = spec;
  const set = new Set(Object.keys(ulimits));
  return [
    ...(spec.workingDir === undefined ? [] : ["--workdir", spec.workingDir]),
    ...(spec.user === undefined ? [] : ["--user", spec.user]),
    ...(spec.stopSignal === undefined ? [] : ["--stop-signal", `${signalNumber(spec.stopSignal)}`]),
    ...additionalGroups.flatMap((group) => ["--group-add", group]),
    ...(spec.readOnlyRootFilesystem === true ? ["--read-only"] : []),
    ...(spec.oomScoreAdj === undefined ? [] : ["--oom-score-adj", `${spec.oomScoreAdj}`]),
    ...Object.entries(ulimits).flatMap(([name, { soft, hard }]) => [
      "--ulimit",
      `${name}=${soft}:${hard}`,
    ]),
    ...facts.ulimits
      .filter((limit) => !set.has(limit.slice(0, limit.indexOf("="))))
      .flatMap((limit) => ["--ulimit", limit]),
    ...devices.flatMap(({ path, containerPath, permissions }) => [
      "--device",
      `${path}:${containerPath ?? path}:${permissions ?? "rwm"}`,
    ]),
    ...resourceArguments(spec.resources),
    ...securityArguments(spec.security, user),
    ...loggingArguments(logging),
  ];
}

function loggingArguments(logging: ContainerSpec["logging"]): readonly string[] {
  if (logging?.mode === "none") return ["--log-driver", "none"];
  const { maxBytes = 16 * 1024 * 1024, maxFiles = 2 } = logging ?? {};
  // named, since what containers.conf or a journal says may lose what is written
  return ["--log-driver", "k8s-file", "--log-opt", `max-size=${maxBytes * maxFiles}`];
}

function restartArguments(spec: PodSpec): readonly string[] {
  const { restart } = spec;
  // what runs to its end comes before the others with each start, which only Stowage sees to
  if (restart === undefined || onceContainers(spec).length > 0) return [];
  const { policy, maxRetries } = restart;
  return ["--restart", maxRetries === undefined ? policy : `${policy}:${maxRetries}`];
}

/** The declared environment in clear. */
function environmentOf(
  pod: PodInstance,
  name: string,
  spec: ContainerSpec,
): Readonly<Record<string, string>> {
  const given = pod.environment?.[name];
  if (given !== undefined) return given;
  const plain: [string, string][] = [];
  for (const [key, value] of Object.entries(spec.env ?? {})) {
    if (isSecret(value)) {
      throw new StowageError(
        `Cannot prepare container "${name}": the secret of environment variable "${key}" is not available; set "${value.secret.fromEnv}" and apply again`,
        { code: "failed_precondition", context: { pod: pod.identity.pod, container: name } },
      );
    }
    plain.push([key, value]);
  }
  return Object.fromEntries(plain);
}
