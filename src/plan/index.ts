export * from "./plan.ts";
export * from "./plan-input.ts";
