import * as z from "zod";
import {
  Digest,
  LABEL_CONTAINER,
  LABEL_FLEET,
  LABEL_GENERATION,
  LABEL_HOST,
  LABEL_OWNER,
  LABEL_POD,
  Name,
  OwnerId,
  type PodIdentity,
  Resources,
} from "../../../model/index.ts";

const Identity = z.object({
  owner: OwnerId,
  fleet: Name,
  host: Name,
  pod: Name,
  generation: z.int().min(1),
});

const Container = z.object({
  /** The rkt pod that the next start runs, or the last one ran. */
  uuid: z.string(),
  image: z.object({
    reference: z.string(),
    digest: Digest,
    configDigest: Digest.optional(),
  }),
  /** Paths of declared attributes that can be reported. */
  declared: z.array(z.string()),
  /** Words of the command line that come before the declared arguments. */
  commandWords: z.int(),
  userHasGroup: z.boolean(),
  /** Name of the volume at each mount's path. */
  volumes: z.record(z.string(), z.string()),
  logging: z.object({ mode: z.enum(["file", "none"]), maxBytes: z.int(), maxFiles: z.int() }),
  limits: Resources,
  /** How often its restart policy had it started, since somebody else last did. */
  restarts: z.int().min(1).optional(),
  /** What the image wants to be stopped with. */
  stopSignal: z.string().optional(),
});
/** A container of a generation. */
export type ContainerFile = z.infer<typeof Container>;

const PodFile = z.object({
  version: z.literal(1),
  identity: Identity,
  recordDigest: z.string(),
  network: z.enum(["none", "host", "bridge", "cni"]),
  hostname: z.string(),
  /** Paths of declared attributes of the pod that can be reported. */
  podDeclared: z.array(z.string()),
  /** Names of its tmpfs volumes. */
  tmpfs: z.array(z.string()),
  containers: z.record(Name, Container),
});
/** What was made of a generation; written when all of it is there. */
export type PodFile = z.infer<typeof PodFile>;

/** Reads a pod's file; undefined when it is none. */
export const parsePodFile = remembering(PodFile);

const Manifest = z.looseObject({
  apps: z
    .array(
      z.looseObject({
        name: z.string(),
        image: z.looseObject({ id: z.string() }),
        // a pod of somebody else's may have none: rkt's own list dies of that
        app: z
          .looseObject({
            exec: z.array(z.string()).nullish(),
            user: z.string().nullish(),
            group: z.string().nullish(),
            workingDirectory: z.string().nullish(),
            environment: z.array(z.looseObject({ name: z.string(), value: z.string() })).nullish(),
          })
          .nullish(),
        mounts: z.array(z.looseObject({ volume: z.string(), path: z.string() })).nullish(),
      }),
    )
    .nullish(),
  volumes: z.array(z.looseObject({ name: z.string(), readOnly: z.boolean().nullish() })).nullish(),
  userLabels: z.record(z.string(), z.string()).nullish(),
});
/** As much of a pod manifest as is read. */
export type Manifest = z.infer<typeof Manifest>;

/** Reads a pod manifest; undefined when it is none. */
export const parseManifest = remembering(Manifest);

/** Whose state directory a pod is of. */
const LABEL_SCOPE = "io.stowage.scope";

/** Whether a pod of rkt's was made for another state directory. */
export function isOfAnother(scope: string, manifest: Manifest | undefined): boolean {
  return manifest !== undefined && manifest.userLabels?.[LABEL_SCOPE] !== scope;
}

/** Labels of a container's pod manifest. */
export function manifestLabels(
  { owner, fleet, host, pod, generation }: PodIdentity,
  container: string,
  scope: string,
): Readonly<Record<string, string>> {
  return {
    [LABEL_SCOPE]: scope,
    [LABEL_OWNER]: owner,
    [LABEL_FLEET]: fleet,
    [LABEL_HOST]: host,
    [LABEL_POD]: pod,
    [LABEL_CONTAINER]: container,
    [LABEL_GENERATION]: String(generation),
  };
}

/** Whose a pod manifest is; undefined when it is not Stowage's. */
export function manifestIdentity(
  manifest: Manifest | undefined,
): { readonly identity: PodIdentity; readonly container: string } | undefined {
  const labels = manifest?.userLabels ?? {};
  const identity = Identity.safeParse({
    owner: labels[LABEL_OWNER],
    fleet: labels[LABEL_FLEET],
    host: labels[LABEL_HOST],
    pod: labels[LABEL_POD],
    generation: Number(labels[LABEL_GENERATION]),
  }).data;
  const container = labels[LABEL_CONTAINER];
  return identity === undefined || container === undefined ? undefined : { identity, container };
}

/** Texts that are remembered of one kind, and those before them. */
const REMEMBERED = 4096;

/** A reader that parses each text once: while pods are waited for the same files are read again and again. */
function remembering<T>(schema: z.ZodType<T>): (text: string | Error | undefined) => T | undefined {
  let [recent, older] = [new Map<string, T | undefined>(), new Map<string, T | undefined>()];
  return (text) => {
    if (typeof text !== "string") return undefined;
    const known = recent.has(text) ? recent : older;
    const parsed = known.has(text) ? known.get(text) : parse(text, schema);
    recent.set(text, parsed);
    if (recent.size >= REMEMBERED) [recent, older] = [new Map(), recent];
    return parsed;
  };
}

function parse<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
