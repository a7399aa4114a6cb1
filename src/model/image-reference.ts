import { StowageError } from "../errors/index.ts";

/** Where an image comes from, with every default written out. */
export interface ImageReference {
  /** Registry host with its port, `docker.io` when none was given. */
  readonly domain: string;
  /** Path within the registry: `library/nginx`. */
  readonly path: string;
  /** `domain/path`. */
  readonly repository: string;
  /** `latest` when neither tag nor digest was given. */
  readonly tag?: string;
  /** `algorithm:hex`. */
  readonly digest?: string;
  /** `repository[:tag][@digest]`; parses to the same reference. */
  readonly canonical: string;
}

const DEFAULT_DOMAIN = "docker.io";
const LEGACY_DEFAULT_DOMAIN = "index.docker.io";
const OFFICIAL_PREFIX = "library/";
const DEFAULT_TAG = "latest";
const PATH_LENGTH_MAX = 255;
const TAG_LENGTH_MAX = 128;

const DOMAIN_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const DOMAIN = new RegExp(
  `^(?:${DOMAIN_LABEL}(?:\\.${DOMAIN_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`,
);
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const DIGEST_ALGORITHM = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*$/;
const DIGEST_HEX_LENGTH: ReadonlyMap<string, number> = new Map([
  ["sha256", 64],
  ["sha384", 96],
  ["sha512", 128],
]);

/**
 * Reads a reference as a user writes it: `nginx`, `ghcr.io/acme/shop:1.8.2`, `host:5000/a@sha256:…`.
 *
 * What is missing is filled in as Docker does: the domain `docker.io`, its path prefix `library/`,
 * and the tag `latest` when there is no digest either. A first component is a domain when it is
 * `localhost`, holds a `.` or `:`, or is not lower case. A domain that is none is refused, also where
 * the grammar could read it as a path (`a_b.c/d`).
 *
 * @throws StowageError `invalid_argument` naming the text, the part that is wrong, and the remedy.
 * @see https://pkg.go.dev/github.com/distribution/reference for the grammar
 */
export function parseImageReference(text: string): ImageReference {
  const known = read.get(text);
  if (known !== undefined) return known;
  const reference = readReference(text);
  // of a fleet's thousands of containers most name the same few
  if (read.size >= REMEMBERED_MAX) read.clear();
  read.set(text, reference);
  return reference;
}

const REMEMBERED_MAX = 1024;
const read = new Map<string, ImageReference>();

function readReference(text: string): ImageReference {
  checkWhole(text);
  const at = text.indexOf("@");
  const named = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : checkDigest(text, text.slice(at + 1));
  const { domain, rest } = splitDomain(named);
  const colon = rest.indexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  checkDomain(text, domain);
  checkPath(text, path);
  const given = colon < 0 ? undefined : checkTag(text, rest.slice(colon + 1));
  const tag = given ?? (digest === undefined ? DEFAULT_TAG : undefined);
  const repository = `${domain}/${path}`;
  return {
    domain,
    path,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    canonical: `${repository}${suffix(tag, digest)}`,
  };
}

/** Whether {@link parseImageReference} accepts the text. */
export function isImageReference(text: string): boolean {
  try {
    parseImageReference(text);
    return true;
  } catch (error) {
    if (StowageError.is(error)) return false;
    throw error;
  }
}

/**
 * The short form for people: without `docker.io/`, and without `library/` before a single name.
 *
 * It parses to the same reference: a path that would then start with a domain keeps its own.
 */
export function familiarImageReference(reference: ImageReference): string {
  return `${familiarName(reference)}${suffix(reference.tag, reference.digest)}`;
}

function familiarName({ domain, path, repository }: ImageReference): string {
  if (domain !== DEFAULT_DOMAIN) return repository;
  const official = path.startsWith(OFFICIAL_PREFIX) ? path.slice(OFFICIAL_PREFIX.length) : path;
  if (!official.includes("/")) return official;
  return isDomain(path.slice(0, path.indexOf("/"))) ? repository : path;
}

function suffix(tag: string | undefined, digest: string | undefined): string {
  return `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

function splitDomain(named: string): { domain: string; rest: string } {
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  const hasDomain = slash >= 0 && isDomain(first);
  const domain = !hasDomain || first === LEGACY_DEFAULT_DOMAIN ? DEFAULT_DOMAIN : first;
  const rest = hasDomain ? named.slice(slash + 1) : named;
  const official = domain === DEFAULT_DOMAIN && !rest.includes("/") && rest !== "";
  return { domain, rest: official ? `${OFFICIAL_PREFIX}${rest}` : rest };
}

function isDomain(component: string): boolean {
  return (
    component === "localhost" || /[.:]/.test(component) || component.toLowerCase() !== component
  );
}

function checkWhole(text: string): void {
  if (text === "") throw refusal(text, "it is empty", "write repository[:tag][@digest]");
  if (/\s/.test(text)) throw refusal(text, "it holds white space", "remove it");
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw refusal(text, "it starts with a URL scheme", "leave out everything up to //");
  }
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw refusal(
      text,
      "64 hexadecimal digits alone are an image id, not a name",
      `write repository@sha256:${text.slice(0, 8)}…`,
    );
  }
}

function checkDomain(text: string, domain: string): void {
  if (DOMAIN.test(domain)) return;
  const remedy = domain.includes(":")
    ? "write host[:port], with an IPv6 address in brackets and without a zone"
    : "use letters, digits and inner hyphens between dots";
  throw refusal(text, `its domain "${domain}" is not a host name or address`, remedy);
}

function checkPath(text: string, path: string): void {
  if (path === "" || path === OFFICIAL_PREFIX) {
    throw refusal(text, "it has no repository name", "write repository[:tag][@digest]");
  }
  if (path.toLowerCase() !== path) {
    const shown = path.startsWith(OFFICIAL_PREFIX) ? path.slice(OFFICIAL_PREFIX.length) : path;
    throw refusal(
      text,
      `its repository name "${shown}" holds upper case`,
      `write "${shown.toLowerCase()}"`,
    );
  }
  for (const component of path.split("/")) {
    if (component === "") {
      throw refusal(
        text,
        "a part of its path is empty",
        "write one / between parts, none at the end",
      );
    }
    if (!PATH_COMPONENT.test(component)) {
      throw refusal(
        text,
        `the part "${component}" of its path is not valid`,
        "use a-z and 0-9, joined by one period, one or two underscores, or hyphens",
      );
    }
  }
  if (path.length > PATH_LENGTH_MAX) {
    throw refusal(text, `its path has ${path.length} characters`, `use at most ${PATH_LENGTH_MAX}`);
  }
}

function checkTag(text: string, tag: string): string {
  if (tag === "")
    throw refusal(text, "its tag is empty", "write a tag after the : or leave it out");
  if (tag.length > TAG_LENGTH_MAX) {
    throw refusal(text, `its tag has ${tag.length} characters`, `use at most ${TAG_LENGTH_MAX}`);
  }
  if (TAG.test(tag)) return tag;
  throw refusal(
    text,
    `its tag "${tag}" is not valid`,
    "use letters, digits, _ . and -, not starting with . or -",
  );
}

function checkDigest(text: string, digest: string): string {
  const colon = digest.indexOf(":");
  const algorithm = digest.slice(0, Math.max(colon, 0));
  const hex = digest.slice(colon + 1);
  if (colon < 0 || !DIGEST_ALGORITHM.test(algorithm)) {
    throw refusal(
      text,
      `its digest "${digest}" is not valid`,
      "write sha256:<64 hexadecimal digits>",
    );
  }
  const length = DIGEST_HEX_LENGTH.get(algorithm);
  if (length === undefined) {
    const known = [...DIGEST_HEX_LENGTH.keys()].join(", ");
    throw refusal(text, `its digest algorithm "${algorithm}" is not known`, `use one of ${known}`);
  }
  if (hex.length !== length) {
    throw refusal(
      text,
      `its ${algorithm} digest has ${hex.length} characters`,
      `write all ${length} hexadecimal digits`,
    );
  }
  if (/^[a-f0-9]+$/.test(hex)) return digest;
  throw refusal(text, "its digest is not lower case hexadecimal", "use 0-9 and a-f");
}

function refusal(text: string, state: string, remedy: string): StowageError {
  const shown = text.length > 300 ? `${text.slice(0, 300)}…` : text;
  return new StowageError(
    `Cannot parse image reference ${JSON.stringify(shown)}: ${state}; ${remedy}`,
    {
      code: "invalid_argument",
    },
  );
}
