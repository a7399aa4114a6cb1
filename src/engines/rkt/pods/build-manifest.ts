import { mergeEnvironment, type ProcessArguments } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import type { ResolvedUser } from "../../../image/index.ts";
import type { ContainerSpec, PodIdentity, PodSpec } from "../../../model/index.ts";
import { describePod } from "../context.ts";
import type { Flavor } from "../flavor.ts";
import { appName } from "../layout.ts";
import { manifestLabels } from "./pod-file.ts";

/** Everything that a container's pod manifest is made of. */
export interface ManifestInput {
  readonly identity: PodIdentity;
  readonly pod: PodSpec;
  readonly container: string;
  /** Of the state directory. */
  readonly scope: string;
  readonly flavor: Flavor;
  /** Id of the image in rkt, whole: a prefix of it would be given back as it was written. */
  readonly imageId: string;
  readonly imageEnv: readonly string[];
  readonly imageWorkingDir: string | undefined;
  readonly process: ProcessArguments;
  readonly user: ResolvedUser;
  /** Declared environment with secrets in clear. */
  readonly environment: Readonly<Record<string, string>>;
  /** Directory or file of the host behind each volume of the pod. */
  readonly sources: Readonly<Record<string, string>>;
  /** Files of the host that the container is to see, by path in it. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * The pod manifest of one container. Every container is a pod of rkt's: in one of several apps the first
 * failure ends them all, and fly has no others.
 *
 * @throws StowageError `invalid_argument` for what rkt would take and change, or mount in any order
 */
export function buildManifest(input: ManifestInput): string {
  const { identity, container, flavor, user } = input;
  const spec = input.pod.containers[container] as ContainerSpec;
  const mounts = spec.mounts ?? [];
  const files = Object.entries(input.files).filter(([path]) =>
    mounts.every((mount) => mount.path !== path),
  );
  if (flavor === "fly") refuseNested(identity, container, mounts);
  const environment = mergeEnvironment(input.imageEnv, input.environment).map((entry) => {
    const equals = entry.indexOf("=");
    return { name: entry.slice(0, equals), value: entry.slice(equals + 1) };
  });
  if (flavor === "host") refuseLost(identity, container, environment);
  return JSON.stringify({
    acVersion: "0.8.11",
    acKind: "PodManifest",
    apps: [
      {
        name: appName(identity, container),
        image: { id: input.imageId },
        app: {
          exec: input.process.args.map((word) =>
            // systemd expands its specifiers in the command line of a unit
            flavor === "host" ? word.replaceAll("%", "%%") : word,
          ),
          user: String(user.uid),
          group: String(user.gid),
          ...(user.additionalGids.length === 0 ? {} : { supplementaryGIDs: user.additionalGids }),
          workingDirectory: spec.workingDir ?? (input.imageWorkingDir || "/"),
          environment,
          ...(flavor === "host" ? { isolators: HOST_ISOLATORS } : {}),
        },
        // a volume for each mount: fly refuses one that is mounted twice
        mounts: [
          ...mounts.map(({ path }, at) => ({ volume: `mount-${at}`, path })),
          ...files.map(([path], at) => ({ volume: `file-${at}`, path })),
        ],
      },
    ],
    volumes: [
      ...mounts.map(({ volume, readOnly = false }, at) => ({
        name: `mount-${at}`,
        kind: "host",
        source: input.sources[volume],
        readOnly,
      })),
      // other pods' too: none may write in them
      ...files.map(([, source], at) => ({
        name: `file-${at}`,
        kind: "host",
        source,
        readOnly: true,
      })),
    ],
    isolators: [],
    annotations: [],
    ports: [],
    userLabels: manifestLabels(identity, container, input.scope),
  });
}

/** rkt's list of allowed system calls is of 2018 and kills what was built since; its list of forbidden ones holds. */
const HOST_ISOLATORS = [
  { name: "os/linux/seccomp-remove-set", value: { set: ["@rkt/default-blacklist"] } },
];

function refuseNested(
  identity: PodIdentity,
  container: string,
  mounts: readonly { readonly path: string }[],
): void {
  for (const { path } of mounts) {
    const outer = mounts.find((other) => path.startsWith(`${other.path}/`));
    if (outer === undefined) continue;
    throw new StowageError(
      `Cannot mount "${path}" in container "${container}" of ${describePod(identity)}: it lies within "${outer.path}", and rkt's fly mounts in any order; mount one of them elsewhere`,
      { code: "invalid_argument", context: { container, path } },
    );
  }
}

function refuseLost(
  identity: PodIdentity,
  container: string,
  environment: readonly { readonly name: string; readonly value: string }[],
): void {
  const lost = environment.find(({ value }) => /\n|\\x/.test(value));
  if (lost === undefined) return;
  throw new StowageError(
    `Cannot set environment variable "${lost.name}" in container "${container}" of ${describePod(identity)}: it has a line break or \\x, which rkt's host flavour loses; use a file, or the flavour fly`,
    { code: "invalid_argument", context: { container, name: lost.name } },
  );
}
