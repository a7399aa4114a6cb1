// a file of its own, so that it is loaded as one when the first registry is asked
export { dockerCredentials } from "./docker-credentials.ts";
export { insecurePlaces, readHostPlaces } from "./host-places.ts";
export { configuredPlaces } from "./registries-conf.ts";
export { RegistryClient, registryHost } from "./registry-client.ts";
export { openRegistryImage } from "./registry-image.ts";
