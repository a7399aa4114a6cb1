export { applyFleet } from "./apply-fleet.ts";
export type { ApplyFleetRequest } from "./apply-request.ts";
export type { Connector, HostAccess, HostReading } from "./connector.ts";
export { type DestroyFleetRequest, destroyFleet, type HostVolume } from "./destroy-fleet.ts";
export type { ApplyEvent, ChangeOutcome, ChangeStatus } from "./execute/events.ts";
export {
  FLEET_LOCK_FILE,
  FleetLock,
  readFleetLock,
  writeFleetLock,
} from "./images/fleet-lock.ts";
export { type LockImagesRequest, lockImages } from "./images/lock-images.ts";
export {
  type FleetObservation,
  type ObserveFleetRequest,
  type ObserveProgress,
  observeFleet,
} from "./observe/observe-fleet.ts";
export { type PlanFleetRequest, type PlannedFleet, planFleet } from "./plan-fleet.ts";
export type { ApplyReport, ApplyStatus } from "./report.ts";
export { type UnlockHostsRequest, type UnlockOutcome, unlockHosts } from "./unlock-hosts.ts";
