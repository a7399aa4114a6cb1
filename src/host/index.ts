export * from "./host.ts";
export { openLocalHost } from "./local/local-host.ts";
