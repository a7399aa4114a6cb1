import type { ObservedImage, ObservedLeftover } from "../../../model/index.ts";
import type { ListedImage } from "../cli/answers.ts";
import type { OwnImage } from "./image-files.ts";
import { isImageTag, keyOfTag } from "./image-tag.ts";

/** What was found of images: podman's list, and the files of those that Stowage brought in. */
export interface FoundImages {
  readonly listed: readonly ListedImage[];
  readonly own: ReadonlyMap<string, OwnImage>;
  readonly folders: ReadonlySet<string>;
  /** Of the files that these are. */
  readonly scope: string;
  /** Ids of those that containers of anyone use. */
  readonly used: ReadonlySet<string>;
}

/** The images of a store: Stowage's by their own names, others' by each name that they have. */
export function observeImages({ listed, own, used, scope }: FoundImages): readonly ObservedImage[] {
  const images = new Map<string, ObservedImage>();
  for (const image of listed) {
    const told = {
      configDigest: `sha256:${image.Id}`,
      sizeBytes: image.Size,
      inUse: used.has(image.Id),
    };
    for (const name of image.Names) {
      const ours = own.get(keyOfTag(scope, name) ?? "");
      if (ours !== undefined) {
        const { name: own, fleets } = ours;
        // somebody may have given our name to another image
        const digest = ours.id === image.Id ? ours.digest : told.configDigest;
        images.set(own, { name: own, digest, fleets, ...told });
      } else if (!isImageTag(name)) {
        images.set(name, { name, digest: digestOf(image, name), ...told });
      }
    }
  }
  return [...images.values()];
}

/** Digest of the manifest that a name led to; an image has one a form in which it came in. */
function digestOf({ RepoDigests, Digest }: ListedImage, name: string): string {
  const own = /@(sha256:[a-f0-9]{64})$/.exec(name)?.[1];
  if (own !== undefined) return own;
  const repository = name.replace(/:[^/:]*$/, "");
  const digests = RepoDigests.filter((each) => each.startsWith(`${repository}@`));
  return digests.length === 1 ? (digests[0] ?? "").slice(repository.length + 1) : Digest;
}

/** What an import or a removal that was interrupted left: a name without its file, or the other way round. */
export function imageLeftovers({
  listed,
  own,
  folders,
  scope,
}: FoundImages): readonly ObservedLeftover[] {
  const tagged = new Set(
    listed.flatMap(({ Names }) => Names.flatMap((name) => keyOfTag(scope, name) ?? [])),
  );
  const untold = [...tagged].filter((key) => !own.has(key));
  const gone = [...folders].filter((key) => !tagged.has(key));
  return [
    ...untold.map((name) => ({ name, what: "image" })),
    ...gone.map((name) => ({ name, what: "note of an image" })),
  ];
}
