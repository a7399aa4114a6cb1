import type { ContainerSpec, Drain, Mount, Resources, Security } from "../model/index.ts";
import { compact } from "./compact.ts";
import type { ContainerProps, DrainProps, MountProps, ResourcesProps } from "./container-props.ts";
import { copyData } from "./copy-data.ts";
import type { PodDefaults } from "./defaults.ts";
import { loggingSpec } from "./logging.ts";

/** What a container's specification takes from the pod that it is in. */
export interface ContainerContext {
  readonly defaults: PodDefaults;
  /** Name of a mounted volume among the pod's. */
  volumeName(mount: MountProps): string;
}

/** The part of a container's properties that stands alone, as plain data of its own. */
export type FixedSpec = Omit<
  ContainerSpec,
  "env" | "files" | "mounts" | "logging" | "security" | "stopGracePeriodMs"
>;

/** A copy of what stands alone in a container's properties, in the model's terms. */
export function fixedSpec(props: ContainerProps): FixedSpec {
  const { image, shm, resources, ulimits, devices, health, init, dependsOn, drain } = props;
  return copyData(
    compact<FixedSpec>({
      image: typeof image === "string" ? image : image.reference,
      command: props.command,
      args: props.args,
      workingDir: props.workingDir,
      user: props.user,
      additionalGroups: props.additionalGroups,
      readOnlyRootFilesystem: props.readOnlyRootFilesystem,
      shmBytes: shm?.toBytes(),
      resources: resources === undefined ? undefined : resourcesSpec(resources),
      ulimits,
      oomScoreAdj: props.oomScoreAdj,
      devices: devices?.map((device) => ({ ...device })),
      init,
      dependsOn,
      completeWithinMs: props.completeWithin?.toMilliseconds(),
      health: health?.toSpec(),
      drain: drain === undefined ? undefined : drainSpec(drain),
      stopSignal: props.stopSignal,
    }),
  );
}

/** A container as the manifest declares it, in one pod. */
export function containerSpec(
  fixed: FixedSpec,
  own: Pick<ContainerProps, "logging" | "security" | "stopGracePeriod" | "mounts"> &
    Pick<ContainerSpec, "env" | "files">,
  { defaults, volumeName }: ContainerContext,
): ContainerSpec {
  const logging = { ...defaults.logging, ...own.logging };
  const security: Security = { ...defaults.security, ...own.security };
  const stopGracePeriod = own.stopGracePeriod ?? defaults.stopGracePeriod;
  return copyData(
    compact<ContainerSpec>({
      ...fixed,
      env: own.env,
      files: Object.keys(own.files ?? {}).length === 0 ? undefined : own.files,
      mounts: own.mounts?.map((mount) =>
        compact<Mount>({ volume: volumeName(mount), path: mount.path, readOnly: mount.readOnly }),
      ),
      logging: Object.keys(logging).length === 0 ? undefined : loggingSpec(logging),
      security: Object.keys(security).length === 0 ? undefined : security,
      stopGracePeriodMs: stopGracePeriod?.toMilliseconds(),
    }),
  );
}

function drainSpec({ command, wait, timeout }: DrainProps): Drain {
  return compact<Drain>({
    command,
    waitMs: wait?.toMilliseconds(),
    timeoutMs: timeout?.toMilliseconds(),
  });
}

function resourcesSpec(resources: ResourcesProps): Resources {
  const { cpu, memory, memoryReservation, memorySwap, cpuShares, cpuset, pidsMax } = resources;
  return compact<Resources>({
    cpuMillis: cpu?.toMillis(),
    cpuShares,
    cpuset,
    memoryBytes: memory?.toBytes(),
    memoryReservationBytes: memoryReservation?.toBytes(),
    memorySwapBytes: memorySwap?.toBytes(),
    pidsMax,
  });
}
