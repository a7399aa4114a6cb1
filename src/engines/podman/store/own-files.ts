import { createHash } from "node:crypto";
import type { HostDirectories, PodIdentity } from "../../../model/index.ts";
import { objectName } from "../../../model/index.ts";
import type { PodmanSettings } from "../podman-settings.ts";

/** Beginning of the name of an image's folder, and of the tag that holds the image in podman. */
export const IMAGE_PREFIX = "stw-image-";
/** Beginning of the name of a folder that an import works in. */
export const IMPORT_PREFIX = "stw-import-";

/** Beginning of the name of a folder that an image is sent into; the digits of its manifest's digest follow. */
export const STAGE_PREFIX = "stw-stage-";

/** End of the name of a file that is there while something of that name is being made or removed. */
export const UNFINISHED_SUFFIX = ".unfinished";

/** End of the name of a file that counts starts. */
export const RESTARTS_SUFFIX = ".restarts.json";

const HASH_CHARACTERS = 26;

/**
 * Files of this adapter, for what podman has no place for: it puts no labels on images, and cannot
 * change those of a container.
 *
 *     <stateDir>/.podman/<store>/images/stw-image-<hash>/image.json            image that Stowage brought in
 *     <stateDir>/.podman/<store>/images/stw-image-<hash>/<owner>.<fleet>.json  a fleet that uses it
 *     <stateDir>/.podman/<store>/pods/<object name>.json                       what was changed since a pod was made
 *     <stateDir>/.podman/<store>/pods/<object name>.restarts.json              starts that podman does not count
 *     <stateDir>/.podman/<store>/pods/<object name>.unfinished                 a podman pod is being made, or anything removed
 *     <stateDir>/.podman/<store>/imports/stw-import-<random>/                  where podman unpacks an import
 *     <stateDir>/.podman/<store>/imports/stw-stage-<digest>/                   what has come of an image from another machine
 *     <runDir>/podman-logins/stw-import-<random>/auth.json                     who asks a registry, while it is asked
 *     <stateDir>/.podman/<store>/containers.conf                               for machines that need one
 *     <stateDir>/.podman/<store>/version.json                                  what podman said, and which program that was
 */
export interface OwnFiles {
  /** Tells these files from those of another state directory that uses the same store. */
  readonly scope: string;
  readonly imagesDir: string;
  readonly podsDir: string;
  readonly importsDir: string;
  /** In memory: logins of pulls, each in a folder of its import's name. */
  readonly loginsDir: string;
  readonly containersConf: string;
  readonly versionFile: string;
  imageDir(name: string): string;
  podFile(identity: PodIdentity): string;
  /** Starts by a restart policy that podman does not know of. */
  restartsFile(identity: PodIdentity): string;
  /**
   * There while a podman pod is being made, and while a container or a pod is being removed: half-way
   * podman still has its name, and the store nothing of it.
   */
  unfinishedFile(name: string): string;
}

/** The files that go with one store of podman's. */
export function ownFiles(
  { stateDir, runDir }: HostDirectories,
  settings: PodmanSettings,
): OwnFiles {
  const store = settings.root === undefined ? "default" : hash(settings.root).slice(0, 8);
  const dir = `${stateDir}/.podman/${store}`;
  return {
    scope: hash(dir).slice(0, 8),
    imagesDir: `${dir}/images`,
    podsDir: `${dir}/pods`,
    importsDir: `${dir}/imports`,
    loginsDir: `${runDir}/podman-logins`,
    containersConf: `${dir}/containers.conf`,
    versionFile: `${dir}/version.json`,
    imageDir: (name) => `${dir}/images/${imageKey(name)}`,
    podFile: (identity) => `${dir}/pods/${objectName(identity)}.json`,
    restartsFile: (identity) => `${dir}/pods/${objectName(identity)}${RESTARTS_SUFFIX}`,
    unfinishedFile: (name) => `${dir}/pods/${name}${UNFINISHED_SUFFIX}`,
  };
}

/** The image that a folder was for that it was sent into; undefined of any other. */
export function stagedImage(name: string): string | undefined {
  return name.startsWith(STAGE_PREFIX) ? `sha256:${name.slice(STAGE_PREFIX.length)}` : undefined;
}

/** Name of an image's folder, by the image's name in every engine. */
export function imageKey(name: string): string {
  return `${IMAGE_PREFIX}${hash(name)}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, HASH_CHARACTERS);
}
