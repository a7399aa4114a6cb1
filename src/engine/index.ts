export * from "./engine.ts";
export * from "./image-content.ts";
