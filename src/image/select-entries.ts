import { StowageError } from "../errors/index.ts";
import { type ImageReference, isImageReference, parseImageReference } from "../model/index.ts";
import { isAttestation } from "./attestation.ts";
import type { ImageSource } from "./blob-source.ts";
import type { IndexEntry } from "./documents.ts";
import { formatPlatform, normalizePlatform, toPlatform } from "./platform.ts";

/** The tag by the specification, but whole references are common. */
const REF_NAME = "org.opencontainers.image.ref.name";
/** Where containerd and Docker write the whole reference; the other then holds the tag alone. */
const CONTAINERD_NAME = "io.containerd.image.name";
const NAMES_SHOWN = 10;

/**
 * The entries of a source's `index.json` that a reference means.
 *
 * In this order: those annotated with the whole reference; those annotated with its tag alone; the
 * one that has its digest; the only image there is. Several come back when one name is given to
 * manifests of several platforms.
 *
 * @throws StowageError `not_found` naming the images that are there.
 * @throws StowageError `invalid_argument` when one name is given to several images of one platform.
 */
export function selectEntries(
  source: ImageSource,
  reference: ImageReference,
  digests: readonly string[],
): readonly IndexEntry[] {
  const entries = distinct(source.entries);
  const ways: readonly ((entry: IndexEntry) => boolean)[] = [
    (entry) => wholeNames(entry).some((name) => means(name, reference)),
    (entry) => reference.tag !== undefined && tagName(entry) === reference.tag,
    (entry) => digests.includes(entry.digest),
    () => isOneImage(entries),
  ];
  for (const way of ways) {
    const found = distinct(source.entries.filter(way));
    const pinned = found.filter(({ digest }) => digests.includes(digest));
    if (pinned.length > 0) return pinned;
    if (found.length > 0) return onePerPlatform(source, reference, found);
  }
  throw new StowageError(
    `Cannot find image "${reference.canonical}" in "${source.location}": ${present(entries)}`,
    { code: "not_found", context: { location: source.location, reference: reference.canonical } },
  );
}

function annotation(entry: IndexEntry, key: string): string | undefined {
  return entry.annotations?.[key];
}

function wholeNames(entry: IndexEntry): readonly string[] {
  return [annotation(entry, CONTAINERD_NAME), annotation(entry, REF_NAME)].filter(
    (name) => name !== undefined,
  );
}

function tagName(entry: IndexEntry): string | undefined {
  return annotation(entry, CONTAINERD_NAME) === undefined ? annotation(entry, REF_NAME) : undefined;
}

/** Whether an annotation names the image; a digest that only one of the two has does not count. */
function means(name: string, reference: ImageReference): boolean {
  if (!isImageReference(name)) return false;
  const named = parseImageReference(name);
  if (named.repository !== reference.repository) return false;
  if (named.tag !== undefined && reference.tag !== undefined) return named.tag === reference.tag;
  return named.digest !== undefined && named.digest === reference.digest;
}

/** One image, perhaps for several platforms: the only entry, or entries distinguished by platform alone. */
function isOneImage(entries: readonly IndexEntry[]): boolean {
  if (entries.length <= 1) return true;
  return entries.every((entry) => entry.platform && wholeNames(entry).length === 0);
}

function onePerPlatform(
  source: ImageSource,
  reference: ImageReference,
  entries: readonly IndexEntry[],
): readonly IndexEntry[] {
  const images = entries.filter((entry) => !isAttestation(entry));
  const platforms = images.map(({ platform }) =>
    platform ? formatPlatform(normalizePlatform(toPlatform(platform))) : "any",
  );
  if (
    images.length < 2 ||
    (new Set(platforms).size === images.length && !platforms.includes("any"))
  ) {
    return entries;
  }
  throw new StowageError(
    `Cannot choose image "${reference.canonical}" in "${source.location}": ${images.map(({ digest }) => digest).join(" and ")} both match; pin the digest of one`,
    { code: "invalid_argument", context: { location: source.location } },
  );
}

function distinct(entries: readonly IndexEntry[]): readonly IndexEntry[] {
  return [...new Map(entries.map((entry) => [entry.digest, entry])).values()];
}

function present(entries: readonly IndexEntry[]): string {
  if (entries.length === 0) return "it holds no image; copy the image into it";
  const names = entries.map((entry) => `"${wholeNames(entry)[0] ?? entry.digest}"`);
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  return `it holds ${names.slice(0, NAMES_SHOWN).join(", ")}${more}; name one of them`;
}
