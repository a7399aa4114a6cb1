export { brakes } from "./brakes.ts";
export { fingerprintOf } from "./fingerprint.ts";
export { rosterEntry } from "./host-changes.ts";
export { imagesOnly } from "./images-only.ts";
export { isConverged, plan } from "./make-plan.ts";
export { podsOnHost } from "./observed-pods.ts";
export {
  type FoundMark,
  marksOf,
  marksOn,
  newestMark,
  pauseOf,
  pausesOf,
  pauseWords,
  serviceNames,
  waitingChanges,
  withPauses,
} from "./pauses.ts";
export * from "./plan.ts";
export * from "./plan-input.ts";
export { planPrune, type Retention } from "./plan-prune.ts";
export { planRestarts, type Restart, type RestartPlan } from "./plan-restarts.ts";
export { planReturn } from "./plan-return.ts";
export { planRollback } from "./rollback.ts";
export { waitsWhilePaused } from "./rollouts.ts";
export { type ServicePod, type ServicePodState, servicePods } from "./service-pods.ts";
export { processKey, type UnhealthyContainer } from "./unhealthy.ts";
