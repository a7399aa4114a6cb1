export { applyFleet } from "./apply-fleet.ts";
export type { ApplyFleetRequest } from "./apply-request.ts";
export { bootFleet } from "./boot/boot-fleet.ts";
export type { BootEvent } from "./boot/boot-request.ts";
export type { Connector, HostAccess, HostReading } from "./connector.ts";
export { type DestroyFleetRequest, destroyFleet, type HostVolume } from "./destroy-fleet.ts";
export type { ApplyEvent, ChangeOutcome } from "./execute/events.ts";
export { checkHealth, type Health, healthKey } from "./health/check-health.ts";
export { readAudit, readPodRecords } from "./history/pod-records.ts";
export {
  inService,
  type RollbackTarget,
  rollbackTarget,
  rollbackWarnings,
  rolledBack,
} from "./history/rollback.ts";
export { type UndoTarget, undoTargets } from "./history/undo.ts";
export {
  FLEET_LOCK_FILE,
  FleetLock,
  readFleetLock,
  writeFleetLock,
} from "./images/fleet-lock.ts";
export { lockImages } from "./images/lock-images.ts";
export {
  type FleetObservation,
  observeFleet,
} from "./observe/observe-fleet.ts";
export { type EngineReading, type HostEngines, readEngines } from "./observe/read-engines.ts";
export { type OnceOutput, runOnce } from "./once/run-once.ts";
export { type PlanFleetRequest, type PlanProgress, planFleet } from "./plan-fleet.ts";
export { planPruning, pruneFleet } from "./prune-fleet.ts";
export type { ApplyReport } from "./report.ts";
export { type MarkedRollout, type MarkOutcome, markRollout } from "./rollouts/mark-rollout.ts";
export { type ContainerStats, sampleStats } from "./stats/sample-stats.ts";
export type { HostSurvey, Leaving } from "./uninstall/survey-host.ts";
export {
  type UninstallReport,
  type UninstallRequest,
  uninstallHost,
} from "./uninstall/uninstall-host.ts";
export { unlockHosts } from "./unlock-hosts.ts";
export { type Heard, listen } from "./watch/listen.ts";
export { watchFleet } from "./watch/watch-fleet.ts";
export type {
  Declaration,
  DeclarationSource,
  WatchEnd,
  WatchEvent,
  WatchRequest,
} from "./watch/watch-request.ts";
