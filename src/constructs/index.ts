export { App } from "./app.ts";
export { BridgeNetwork, type BridgeNetworkProps, type IBridgeNetwork } from "./bridge-network.ts";
export { Container, type IContainer } from "./container.ts";
export type {
  ContainerProps,
  DeviceProps,
  DrainProps,
  MountProps,
  ResourcesProps,
} from "./container-props.ts";
export { Cpu } from "./cpu.ts";
export type { FleetDefaults, PodDefaults } from "./defaults.ts";
export { Duration } from "./duration.ts";
export { type ContainerdOptions, Engine, type PodmanOptions, type SimOptions } from "./engine.ts";
export type { FileAttributes, FileLike, FileProps } from "./files.ts";
export { Fleet, type FleetProps } from "./fleet.ts";
export { Host, type HostProps, type IHost } from "./host.ts";
export { groupLabel, Hosts } from "./hosts.ts";
export { type IImage, Image, type ImageProps } from "./image.ts";
export type { Logging } from "./logging.ts";
export { type CniOptions, Network } from "./network.ts";
export { Pod, type PodProps } from "./pod.ts";
export type { IPod, PodDependencyLike, PodDependencyProps, PodOptions } from "./pod-base.ts";
export type { VolumeLike } from "./pod-volumes.ts";
export { Ports } from "./ports.ts";
export {
  type ExecProbeOptions,
  type HttpProbeOptions,
  Probe,
  type ProbeTiming,
  type TcpProbeOptions,
} from "./probe.ts";
export { RestartPolicy } from "./restart-policy.ts";
export type { RolloutProps } from "./rollout.ts";
export { Secret } from "./secret.ts";
export { Service, type ServiceProps } from "./service.ts";
export { Size } from "./size.ts";
export {
  type IVolume,
  type TmpfsOptions,
  Volume,
  type VolumeProps,
  VolumeSource,
} from "./volume.ts";
