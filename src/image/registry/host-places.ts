import { readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import * as z from "zod";
import { StowageError } from "../../errors/index.ts";

/** Files of this size are none of whoever sets up a host. */
const BYTES_MAX = 1024 * 1024;
const HOSTS_MAX = 64;
const FILE = "hosts.toml";

/** A place that answers for a registry, as a host's administrator set it up. */
export interface RegistryPlace {
  /** Address below which `manifests` and `blobs` of a repository are found, without the repository. */
  readonly base: URL;
  /** What it may be asked for: manifests by their tag, anything by its digest. */
  readonly resolves: boolean;
  readonly pulls: boolean;
  /** Sent with every question to it. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: PlaceTls;
  /** Whether it is not the registry itself: it is then told for which registry it is asked. */
  readonly isMirror: boolean;
}

/** How the other end of a line proves itself, and how this one does. */
export interface PlaceTls {
  readonly rejectUnauthorized?: boolean;
  readonly ca?: readonly string[];
  readonly cert?: readonly string[];
  readonly key?: readonly string[];
}

const Header = z.record(z.string(), z.union([z.string(), z.array(z.string())]));
const Place = z.object({
  capabilities: z.array(z.enum(["pull", "resolve", "push"])).optional(),
  ca: z.union([z.string(), z.array(z.string())]).optional(),
  client: z
    .union([
      z.string(),
      z.array(z.string()),
      z.array(z.union([z.tuple([z.string()]), z.tuple([z.string(), z.string()])])),
    ])
    .optional(),
  skip_verify: z.boolean().optional(),
  override_path: z.boolean().optional(),
  header: Header.optional(),
});
type Place = z.infer<typeof Place>;
const HostsFile = Place.extend({
  server: z.string().optional(),
  host: z
    .record(z.string(), Place)
    .refine((hosts) => Object.keys(hosts).length <= HOSTS_MAX, `has more than ${HOSTS_MAX} hosts`)
    .optional(),
});

/**
 * The places that a host's `hosts.toml` names for a registry, in their order, the registry itself last. The
 * form is containerd's.
 *
 * @param directory folder of folders, one a registry: `/etc/containerd/certs.d`
 * @param server where the registry itself is, if the file does not say
 * @returns undefined where there is no file for it, and none for all
 * @throws StowageError `failed_precondition` when the file, or one that it names, cannot be used
 */
export async function readHostPlaces(
  directory: string,
  domain: string,
  server: string,
): Promise<readonly RegistryPlace[] | undefined> {
  const file = await findFile(directory, domain);
  if (file === undefined) return undefined;
  try {
    const { parse } = await import("smol-toml");
    const { host = {}, server: said = server, ...own } = HostsFile.parse(parse(await textOf(file)));
    const mirrors = Object.entries(host).map(([address, place]) =>
      placeOf(address, place, dirname(file), true),
    );
    return await Promise.all([...mirrors, placeOf(said, own, dirname(file), false)]);
  } catch (error) {
    throw cannotUse(file, error);
  }
}

/** A registry that is asked whoever it proves to be, and in the clear where it proves nothing. */
export function insecurePlaces(domain: string): readonly RegistryPlace[] {
  const may = { resolves: true, pulls: true, headers: {}, isMirror: false };
  return [
    { ...may, base: new URL(`https://${domain}/v2/`), tls: { rejectUnauthorized: false } },
    { ...may, base: new URL(`http://${domain}/v2/`), tls: {} },
  ];
}

async function findFile(directory: string, domain: string): Promise<string | undefined> {
  const [host = "", port] = domain.split(/:(?=\d+$)/);
  const names = [...(port === undefined ? [] : [`${host}_${port}_`]), domain, "_default"];
  for (const name of names) {
    const file = join(directory, name, FILE);
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    if (found.size > BYTES_MAX) throw cannotUse(file, new Error(`it has ${found.size} bytes`));
    return file;
  }
  return undefined;
}

async function placeOf(
  address: string,
  place: Place,
  folder: string,
  isMirror: boolean,
): Promise<RegistryPlace> {
  const { capabilities = ["pull", "resolve"], header = {} } = place;
  const entries = Object.entries(header).map(([name, value]) => [name, [value].flat().join(", ")]);
  return {
    base: baseOf(address, place.override_path === true),
    resolves: capabilities.includes("resolve"),
    pulls: capabilities.includes("pull"),
    headers: Object.fromEntries(entries) as Record<string, string>,
    tls: await tlsOf(place, folder),
    isMirror,
  };
}

function baseOf(address: string, isWhole: boolean): URL {
  const text = /^https?:\/\//.test(address) ? address : `https://${address}`;
  if (!URL.canParse(text)) throw new Error(`"${address}" is not an address of a registry`);
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new Error(`the address of ${url.host} has a login in it`);
  const path = url.pathname.replace(/\/+$/, "");
  url.pathname = isWhole || path.endsWith("/v2") ? `${path}/` : `${path}/v2/`;
  return url;
}

async function tlsOf({ ca, client, skip_verify }: Place, folder: string): Promise<PlaceTls> {
  const read = (path: string) => textOf(isAbsolute(path) ? path : join(folder, path));
  const all = async (paths: readonly string[]) => await Promise.all(paths.map(read));
  const pairs = clientPairs(client);
  return {
    ...(skip_verify === true ? { rejectUnauthorized: false } : {}),
    ...(ca === undefined ? {} : { ca: await all([ca].flat()) }),
    ...(pairs.length === 0
      ? {}
      : {
          cert: await all(pairs.map(([cert]) => cert)),
          key: await all(pairs.map(([cert, key = cert]) => key)),
        }),
  };
}

/** Files of a certificate and its key; one file may hold both. */
function clientPairs(client: Place["client"]): readonly (readonly [string, string?])[] {
  if (client === undefined) return [];
  if (typeof client === "string") return [[client]];
  return client.map((each) => (typeof each === "string" ? [each] : each));
}

async function textOf(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > BYTES_MAX) throw new Error(`${path} has ${size} bytes`);
  return await readFile(path, "utf8");
}

function cannotUse(file: string, error: unknown): StowageError {
  if (StowageError.is(error)) return error;
  const [issue] = error instanceof z.ZodError ? error.issues : [];
  const why =
    issue === undefined
      ? ((error as Error).message.split("\n")[0] ?? "")
      : `${issue.path.join(".") || "it"}: ${issue.message}`;
  return new StowageError(
    `Cannot use "${file}": ${why}; fix it, or declare the registry in the fleet's registries, which take precedence`,
    { code: "failed_precondition", context: { file } },
  );
}
