export { type AddToOptions, Inventory } from "./inventory.ts";
export type { SshConfigOptions } from "./inventory-host.ts";
