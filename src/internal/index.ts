export { anySignal } from "./any-signal.ts";
export { Batch } from "./batch.ts";
export { findOnPath, searchPath } from "./find-on-path.ts";
export { Gate } from "./gate.ts";
export { createLimiter, type Limiter, mapLimited } from "./limit.ts";
export { onAbort } from "./on-abort.ts";
export { createPace, type Pace } from "./pace.ts";
export { settleAll } from "./settle-all.ts";
export { tailLines } from "./tail-lines.ts";
