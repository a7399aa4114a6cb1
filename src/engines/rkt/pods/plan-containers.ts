import { declaredPaths, type PodInstance, processArguments } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import {
  parseGroup,
  parsePasswd,
  type ResolvedUser,
  resolveAccount,
} from "../../../image/index.ts";
import { settleAll } from "../../../internal/index.ts";
import {
  type AppliedImage,
  type ContainerSpec,
  effectiveLogging,
  isSecret,
  objectName,
} from "../../../model/index.ts";
import { callOptions, describePod, type RktContext } from "../context.ts";
import { type ImageRecord, readImage } from "../images/image-record.ts";
import { appName } from "../layout.ts";
import { buildManifest } from "./build-manifest.ts";
import type { ContainerFile } from "./pod-file.ts";

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

/** A container before it is made. */
export interface ContainerPlan {
  readonly name: string;
  readonly app: string;
  readonly manifest: string;
  readonly file: Omit<ContainerFile, "uuid">;
}

/** Everything that the containers of a generation are made of; fails before anything is made. */
export async function planContainers(
  context: RktContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<readonly ContainerPlan[]> {
  const sources = await volumeSources(context, pod, signal);
  return await settleAll(
    Object.keys(pod.spec.containers)
      .sort()
      .map((name) => planContainer(context, pod, name, sources, signal)),
  );
}

async function planContainer(
  context: RktContext,
  pod: PodInstance,
  name: string,
  sources: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<ContainerPlan> {
  const { identity } = pod;
  const spec = pod.spec.containers[name] as ContainerSpec;
  const image = pod.images[name] as AppliedImage;
  const record = await readImage(context, image, signal);
  refuseSoftLimit(pod, name);
  const process = processArguments(spec, record.defaults);
  const manifest = buildManifest({
    identity,
    pod: pod.spec,
    container: name,
    scope: context.layout.scope,
    flavor: context.flavor,
    imageId: record.aci,
    imageEnv: record.defaults.env ?? [],
    imageWorkingDir: record.defaults.workingDir,
    process,
    user: userOf(pod, name, record),
    environment: environmentOf(pod, name),
    sources,
    files: pod.network?.files ?? {},
  });
  const { stopSignal } = record.defaults;
  const described = describeContainer(spec, image, process.commandWords);
  return {
    name,
    app: appName(identity, name),
    manifest,
    file: { ...described, ...(stopSignal === undefined ? {} : { stopSignal }) },
  };
}

/** What of a container's file follows from its declaration alone. */
export function describeContainer(
  spec: ContainerSpec,
  { reference, digest, configDigest }: AppliedImage,
  commandWords: number,
): Omit<ContainerFile, "uuid"> {
  return {
    image: { reference, digest, ...(configDigest === undefined ? {} : { configDigest }) },
    declared: [...declaredPaths(spec, TOLD)],
    commandWords,
    userHasGroup: spec.user?.includes(":") ?? false,
    volumes: Object.fromEntries((spec.mounts ?? []).map(({ path, volume }) => [path, volume])),
    // its type allows undefined, its values never are
    logging: effectiveLogging(spec.logging) as ContainerFile["logging"],
    limits: spec.resources ?? {},
  };
}

/** rkt is a Go program, and Go raises the soft limit of open files to the hard one, which the app inherits. */
function refuseSoftLimit({ identity, spec }: PodInstance, name: string): void {
  const { nofile } = spec.containers[name]?.ulimits ?? {};
  if (nofile === undefined || nofile.soft === nofile.hard) return;
  throw new StowageError(
    `Cannot limit open files of container "${name}" of ${describePod(identity)} to ${nofile.soft}: rkt raises the soft limit to the hard one, ${nofile.hard}; declare both the same`,
    { code: "failed_precondition", context: { pod: identity.pod, container: name } },
  );
}

function userOf(pod: PodInstance, name: string, record: ImageRecord): ResolvedUser {
  const { user = record.defaults.user ?? "", additionalGroups = [] } = pod.spec.containers[
    name
  ] as ContainerSpec;
  const { passwd = "", group = "" } = record.accounts ?? {};
  const accounts = { passwd: parsePasswd(passwd), groups: parseGroup(group) };
  try {
    return resolveAccount(accounts, user, additionalGroups);
  } catch (error) {
    if (!StowageError.is(error)) throw error;
    throw new StowageError(error.message, {
      code: "failed_precondition",
      cause: error,
      context: { pod: pod.identity.pod, container: name },
    });
  }
}

function environmentOf(pod: PodInstance, name: string): Readonly<Record<string, string>> {
  const given = pod.environment?.[name];
  if (given !== undefined) return given;
  return Object.fromEntries(
    Object.entries(pod.spec.containers[name]?.env ?? {}).map(([variable, value]) => {
      if (!isSecret(value)) return [variable, value];
      throw new StowageError(
        `Cannot make ${describePod(pod.identity)}: the secret for ${variable} of container "${name}" is not available; set ${value.secret.fromEnv}`,
        { code: "failed_precondition", context: { pod: pod.identity.pod, container: name } },
      );
    }),
  );
}

/** Where each volume's data lies on the host. */
export async function volumeSources(
  { host, layout }: RktContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, string>>> {
  const volumes = Object.entries(pod.spec.volumes ?? {});
  const podName = objectName(pod.identity);
  const sources = Object.fromEntries(
    volumes.map(([name, volume]) => [
      name,
      volume.kind === "bind"
        ? volume.path
        : volume.kind === "tmpfs"
          ? `${layout.tmpfsDir(podName)}/${name}`
          : (pod.volumeDirs[name] ?? ""),
    ]),
  );
  const given = volumes.filter(([, { kind }]) => kind !== "tmpfs").map(([name]) => name);
  const paths = given.map((name) => sources[name] ?? "");
  if (paths.length === 0) return sources;
  const { existing } = await host.snapshot({ exist: paths }, callOptions(signal));
  const missing = given.find((name) => !existing.has(sources[name] ?? ""));
  if (missing === undefined) return sources;
  throw new StowageError(
    `Cannot mount volume "${missing}" of ${describePod(pod.identity)}: "${sources[missing]}" is not on the host; make it first`,
    { code: "failed_precondition", context: { volume: missing } },
  );
}
