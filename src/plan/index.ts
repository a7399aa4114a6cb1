export { brakes } from "./brakes.ts";
export { fingerprintOf } from "./fingerprint.ts";
export { rosterEntry } from "./host-changes.ts";
export { isConverged, plan } from "./make-plan.ts";
export { podsOnHost } from "./observed-pods.ts";
export * from "./plan.ts";
export * from "./plan-input.ts";
export { planRestarts, type Restart, type RestartPlan } from "./plan-restarts.ts";
export { planRollback } from "./rollback.ts";
