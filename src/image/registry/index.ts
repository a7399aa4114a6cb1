export { onceARegistry, type RegistryWait } from "./answer-waits.ts";
export { openRegistries, type Registries } from "./open-registries.ts";
