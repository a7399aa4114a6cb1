export { createLimiter, type Limiter, mapLimited } from "./limit.ts";
export { settleAll } from "./settle-all.ts";
export { type LineSource, type NamedLine, tailLines } from "./tail-lines.ts";
