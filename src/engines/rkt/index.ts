export { RKT_CAPABILITIES } from "./capabilities.ts";
export { openRkt } from "./open-rkt.ts";
