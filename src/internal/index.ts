export { createLimiter, type Limiter, mapLimited } from "./limit.ts";
