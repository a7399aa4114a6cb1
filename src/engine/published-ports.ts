/** Why ports are emulated on an engine whose networks are not used. */
export const PUBLISHED_PORTS =
  "in the host's network the process itself listens; for other networks Stowage publishes ports by rules";
