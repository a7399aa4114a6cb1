export { openRkt } from "./open-rkt.ts";
