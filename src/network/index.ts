export { type NetworkedOptions, withNetworks } from "./networked-engine.ts";
