export * from "./cgroup-limits.ts";
export * from "./declared-paths.ts";
export * from "./default-capabilities.ts";
export * from "./engine.ts";
export * from "./identity-labels.ts";
export * from "./image-content.ts";
export * from "./process-arguments.ts";
export * from "./signal-number.ts";
