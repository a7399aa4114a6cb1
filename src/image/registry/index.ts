export { openRegistries, type Registries } from "./open-registries.ts";
