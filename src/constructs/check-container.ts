import type { ContainerProps, DrainProps, MountProps, ResourcesProps } from "./container-props.ts";
import { LOGGING } from "./logging.ts";
import { checkOptions, checkValue, type OptionNames } from "./options.ts";

const MOUNT: OptionNames<MountProps> = {
  volume: true,
  path: true,
  readOnly: true,
};
const RESOURCES: OptionNames<ResourcesProps> = {
  cpu: true,
  cpuShares: true,
  cpuset: true,
  memory: true,
  memoryReservation: true,
  memorySwap: true,
  pidsMax: true,
};
const DRAIN: OptionNames<DrainProps> = {
  command: true,
  wait: true,
  timeout: true,
};
const CONTAINER: OptionNames<ContainerProps> = {
  image: true,
  command: true,
  args: true,
  env: true,
  workingDir: true,
  user: true,
  additionalGroups: true,
  mounts: true,
  files: true,
  readOnlyRootFilesystem: true,
  shm: true,
  resources: true,
  ulimits: true,
  oomScoreAdj: true,
  security: true,
  devices: true,
  init: true,
  dependsOn: true,
  completeWithin: true,
  health: true,
  logging: true,
  drain: true,
  stopSignal: true,
  stopGracePeriod: true,
};

/** Notes what of a container's properties means nothing. What goes into the manifest as it is, its schema looks at. */
export function checkContainer(container: object, props: ContainerProps): void {
  checkOptions(container, props, CONTAINER);
  checkOptions(container, props.resources, RESOURCES, "resources");
  checkOptions(container, props.drain, DRAIN, "drain");
  checkOptions(container, props.logging, LOGGING, "logging");
  checkValue(container, props.health, "health");
}

/** The same of where it sees a volume. */
export function checkMount(container: object, mount: MountProps, at: number): void {
  const place = `mounts[${at}]`;
  checkOptions(container, mount, MOUNT, place);
  checkValue(container, mount.volume, `${place}.volume`);
}
