import type { PodInstance } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { type ContainerSpec, isNetworked, isSecret } from "../../../model/index.ts";
import { buildSpec, cgroupsPath } from "../spec/build-spec.ts";
import { wantsAllCapabilities } from "../spec/capability-sets.ts";
import type { OciSpec, OciUser } from "../spec/oci-spec.ts";
import { containerId } from "./container-id.ts";
import { hostDevices } from "./host-devices.ts";
import { ensureHostFiles } from "./host-files.ts";
import type { PodContext } from "./pod-context.ts";

/** A container that is to be made, with all that was looked up for it. */
export interface ContainerPlan {
  readonly name: string;
  readonly id: string;
  readonly image: string;
  readonly topChainId: string | undefined;
  readonly spec: OciSpec;
}

/**
 * Looks up everything that a pod's containers are made of; changes nothing of the pod.
 *
 * Containers of a pod with a loopback network are planned with a network namespace each.
 *
 * @throws StowageError `not_found` when an image is not in the engine
 * @throws StowageError `failed_precondition` when secrets are not available
 */
export async function planContainers(
  context: PodContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<readonly ContainerPlan[]> {
  const mode = pod.spec.network?.mode ?? "none";
  const files = await ensureHostFiles(context.host, context.directories, mode, pod.network?.files);
  const names = Object.keys(pod.spec.containers).sort();
  return await Promise.all(
    names.map(async (name) => {
      // a pod has the containers that it names
      const container = pod.spec.containers[name] as ContainerSpec;
      const { environment, image } = inputsOf(pod, name, container);
      const { name: imageName, defaults, topChainId } = await context.images.read(image, signal);
      const user = container.user ?? defaults.user ?? "";
      const { architecture } = await context.facts.platform();
      const id = containerId(pod.identity, name);
      const spec = buildSpec({
        podName: pod.identity.pod,
        pod: pod.spec,
        container: name,
        image: defaults,
        user: await resolveUser(
          context,
          topChainId,
          { user, groups: container.additionalGroups },
          signal,
        ),
        environment,
        volumeDirs: pod.volumeDirs,
        files,
        sharesFiles: isNetworked(pod.spec),
        network: isNetworked(pod.spec) ? joinedNetwork(pod) : mode === "host" ? "host" : "new",
        cgroupsPath: cgroupsPath(context.client.namespace, id),
        devices: await hostDevices(context.host, container.devices),
        ...(wantsAllCapabilities(container.security)
          ? { allCapabilities: await context.facts.allCapabilities() }
          : {}),
        architecture,
      });
      return { name, id, image: imageName, topChainId, spec };
    }),
  );
}

/** The namespace that was made for a pod in a network that is not containerd's. */
function joinedNetwork({ identity, network }: PodInstance): { readonly path: string } {
  if (network !== undefined) return { path: network.namespace };
  throw new StowageError(`Cannot prepare pod "${identity.pod}": its network does not exist`, {
    code: "internal",
  });
}

async function resolveUser(
  { users }: PodContext,
  topChainId: string | undefined,
  { user, groups }: { readonly user: string; readonly groups: readonly string[] | undefined },
  signal: AbortSignal | undefined,
): Promise<OciUser> {
  try {
    return await users.resolve(topChainId, user, groups, signal);
  } catch (error) {
    if (!StowageError.is(error, "invalid_argument")) throw error;
    // the declaration is sound, only this image does not know the name
    const { message, context } = error;
    throw new StowageError(message, { code: "failed_precondition", cause: error, context });
  }
}

/** The image and the environment in clear of a container. */
function inputsOf(pod: PodInstance, name: string, container: ContainerSpec) {
  const image = pod.images[name];
  if (image === undefined) {
    throw new StowageError(`Cannot prepare container "${name}": its image was not resolved`, {
      code: "invalid_argument",
      context: { pod: pod.identity.pod, container: name },
    });
  }
  const given = pod.environment?.[name];
  if (given !== undefined) return { image, environment: given };
  const plain: [string, string][] = [];
  for (const [key, value] of Object.entries(container.env ?? {})) {
    if (isSecret(value)) {
      throw new StowageError(
        `Cannot prepare container "${name}": the secret of environment variable "${key}" is not available; set "${value.secret.fromEnv}" and apply again`,
        { code: "failed_precondition", context: { pod: pod.identity.pod, container: name } },
      );
    }
    plain.push([key, value]);
  }
  return { image, environment: Object.fromEntries(plain) };
}
