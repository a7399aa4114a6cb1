export { openRegistries, type Registries } from "./open-registries.ts";
export type { RegistryOrigin } from "./registry-origin.ts";
