import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { StowageError } from "../../errors/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Files of this size are none of whoever sets up a host. */
const BYTES_MAX = 1024 * 1024;
const SYSTEM = "/etc/containers/registries.conf";

const Mirror = z.looseObject({
  location: z.string().min(1),
  insecure: z.boolean().optional(),
  "pull-from-mirror": z.enum(["all", "digest-only", "tag-only"]).optional(),
});
const Registry = z.looseObject({
  prefix: z.string().min(1).optional(),
  location: z.string().min(1).optional(),
  insecure: z.boolean().optional(),
  blocked: z.boolean().optional(),
  "mirror-by-digest-only": z.boolean().optional(),
  mirror: z.array(Mirror).max(64).optional(),
});
type Registry = z.infer<typeof Registry>;
const ConfFile = z.looseObject({ registry: z.array(Registry).max(1000).optional() });

/** Where an image can be fetched as `registries.conf` has it, without tag or digest. */
export interface ConfiguredPlace {
  readonly domain: string;
  readonly path: string;
  /** Neither its certificate counts, nor whether it has one. */
  readonly isInsecure: boolean;
}

/**
 * The places that this machine's `registries.conf` names for a repository, in their order: those of podman,
 * skopeo and buildah, by the file of the user, or of `CONTAINERS_REGISTRIES_CONF`, else the system's.
 *
 * @param repository with its domain
 * @param isPinned whether a digest is asked for: some mirrors are asked for those alone
 * @returns undefined where it says nothing of the repository
 * @throws StowageError `failed_precondition` when a file cannot be used, `permission_denied` when it is blocked
 * @see containers-registries.conf(5)
 */
export async function configuredPlaces(
  repository: string,
  isPinned: boolean,
  env: Environment,
): Promise<readonly ConfiguredPlace[] | undefined> {
  const found = longestMatch(repository, await readRegistries(env));
  if (found === undefined) return undefined;
  const { prefix, registry } = found;
  if (registry.blocked === true) {
    throw new StowageError(
      `Cannot ask for image "${repository}": this machine's registries.conf blocks ${prefix}; use an image from another registry, or change that file`,
      { code: "permission_denied", context: { repository } },
    );
  }
  const { location = prefix, insecure = false, mirror = [] } = registry;
  const at = (place: string, isInsecure: boolean): ConfiguredPlace => {
    // a prefix with a wildcard is of registries that are themselves
    const whole = place.startsWith("*.") ? repository : place + repository.slice(prefix.length);
    const [domain = "", ...path] = whole.split("/");
    return { domain, path: path.join("/"), isInsecure };
  };
  const byDigestOnly = registry["mirror-by-digest-only"] === true;
  const mirrors = mirror.filter((each) => {
    const kind = byDigestOnly ? "digest-only" : (each["pull-from-mirror"] ?? "all");
    return kind === "all" || kind === (isPinned ? "digest-only" : "tag-only");
  });
  return [
    ...mirrors.map((each) => at(each.location, each.insecure === true)),
    at(location, insecure),
  ];
}

function longestMatch(
  repository: string,
  registries: ReadonlyMap<string, Registry>,
): { readonly prefix: string; readonly registry: Registry } | undefined {
  const matching = [...registries].filter(([prefix]) => matches(repository, prefix));
  const [best] = matching.sort(([a], [b]) => b.length - a.length);
  return best === undefined ? undefined : { prefix: best[0], registry: best[1] };
}

function matches(repository: string, prefix: string): boolean {
  if (prefix.startsWith("*.")) return repository.split("/")[0]?.endsWith(prefix.slice(1)) === true;
  return repository === prefix || repository.startsWith(`${prefix}/`);
}

/** Every registry that is described, by its prefix; of two files the later counts. */
async function readRegistries(env: Environment): Promise<ReadonlyMap<string, Registry>> {
  const found = new Map<string, Registry>();
  for (const file of await confFiles(env)) {
    for (const registry of await readConf(file)) {
      const prefix = registry.prefix ?? registry.location;
      if (prefix === undefined) throw cannotUse(file, "a registry has neither prefix nor location");
      found.set(prefix, registry);
    }
  }
  return found;
}

async function confFiles(env: Environment): Promise<readonly string[]> {
  const named = env["CONTAINERS_REGISTRIES_CONF"];
  if (named !== undefined && named !== "") return [named];
  const home = env["HOME"];
  const own = home === undefined ? [] : [join(home, ".config/containers/registries.conf")];
  for (const file of [...own, SYSTEM]) {
    const there = await stat(file).catch(() => undefined);
    if (there?.isFile() === true || (await exists(`${file}.d`)))
      return [...(there === undefined ? [] : [file]), ...(await dropIns(`${SYSTEM}.d`))];
  }
  return [];
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function dropIns(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith(".conf"))
    .sort()
    .map((name) => join(folder, name));
}

async function readConf(file: string): Promise<readonly Registry[]> {
  try {
    const { size } = await stat(file);
    if (size > BYTES_MAX) throw new Error(`it has ${size} bytes`);
    const { parse } = await import("smol-toml");
    return ConfFile.parse(parse(await readFile(file, "utf8"))).registry ?? [];
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    throw cannotUse(
      file,
      issue === undefined
        ? ((error as Error).message.split("\n")[0] ?? "")
        : `${issue.path.join(".")}: ${issue.message}`,
    );
  }
}

function cannotUse(file: string, why: string): StowageError {
  return new StowageError(
    `Cannot use "${file}": ${why}; fix it, or declare the registry in the fleet's registries, which take precedence`,
    { code: "failed_precondition", context: { file } },
  );
}
