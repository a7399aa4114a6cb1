export * from "./constructs/index.ts";
export {
  type Diagnostic,
  DiagnosticsError,
  type ErrorCode,
  type ErrorContext,
  StowageError,
  type StowageErrorOptions,
} from "./errors/index.ts";
export { type AddToOptions, Inventory, type SshConfigOptions } from "./inventory/index.ts";
export type { Port } from "./model/index.ts";
export {
  ContainerSpec,
  EngineConfig,
  FleetManifest,
  HostSpec,
  ImageSpec,
  MANIFEST_VERSION,
  PodSpec,
  parseFleet,
  Rollout,
  Security,
  validateFleet,
} from "./model/index.ts";
