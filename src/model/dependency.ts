import * as z from "zod";

/**
 * What has to be true of what something waits for. `started`: its process was begun; `healthy`: its probe
 * passes; `completed`: it ended with exit code 0.
 */
export const Condition = z.enum(["started", "healthy", "completed"]);
/** See the schema of the same name. */
export type Condition = z.infer<typeof Condition>;

/** Time that a container which runs to its end has for it, where nothing else is said. */
export const COMPLETE_WITHIN_MS = 600_000;

/** A pod that another one waits for: `pod`, `host/pod`, and `:condition` behind it where it is not healthy. */
export const PodReference = z
  .string()
  .regex(
    /^[a-z0-9-]{1,63}(?:\/[a-z0-9-]{1,63})?(?::(?:started|healthy|completed))?$/,
    "must be the name of a pod of this host, or host/pod, and may end in :started, :healthy or :completed",
  );

/** A {@link PodReference}, taken apart. */
export interface PodDependency {
  /** `host/pod`. */
  readonly id: string;
  /** The pod as it was written. */
  readonly name: string;
  readonly condition: Condition;
}

/** Takes a reference apart, as a pod of `host` means it. */
export function podDependency(reference: string, host: string): PodDependency {
  const [name = "", condition = "healthy"] = reference.split(":");
  return {
    id: name.includes("/") ? name : `${host}/${name}`,
    name,
    condition: condition as Condition,
  };
}
