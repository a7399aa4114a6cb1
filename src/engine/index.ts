export * from "./cgroup-limits.ts";
export * from "./engine.ts";
export * from "./image-content.ts";
export * from "./process-arguments.ts";
export * from "./signal-number.ts";
