import { resolve } from "node:path";

/** Absolute path of the project's folder. */
export const PROJECT_ROOT = resolve(import.meta.dirname, "../..");
