import { createHash } from "node:crypto";
import { type HostDirectories, objectName, type PodIdentity } from "../../model/index.ts";

/**
 * Where this adapter keeps what rkt does not; no owner has a name that begins with a dot.
 *
 *     <stateDir>/.rkt/pods/<pod>/pod.json              what was made of a generation, and which rkt pods it is
 *     <stateDir>/.rkt/pods/<pod>/<container>.manifest  pod manifest given to rkt: each start prepares again from it
 *     <stateDir>/.rkt/pods/<pod>/<container>.pid       process of the last start
 *     <stateDir>/.rkt/pods/<pod>/<container>.exit      how it ended
 *     <stateDir>/.rkt/images/<image>/image.json        what was imported; beside it a file for each fleet
 *     <stateDir>/.rkt/blobs/<digest>                   the image's own bytes, which an ACI does not keep
 *     <stateDir>/.rkt/logs/<container>/                output
 *     <stateDir>/.rkt/version.json                     what rkt said of its version, and which program that was
 */
export class RktLayout {
  /** rkt's data directory. */
  readonly dir: string;
  readonly root: string;
  readonly runRoot: string;
  /** Part of the names of cgroups, images and pods in rkt, so that two state directories of one host never meet. */
  readonly scope: string;

  constructor({ stateDir, runDir }: HostDirectories, dir: string) {
    this.dir = dir;
    this.root = `${stateDir}/.rkt`;
    this.runRoot = `${runDir}/rkt`;
    this.scope = `stw-rkt-${sha256(stateDir).slice(0, 12)}`;
  }

  get versionFile(): string {
    return `${this.root}/version.json`;
  }

  get podsDir(): string {
    return `${this.root}/pods`;
  }

  get imagesDir(): string {
    return `${this.root}/images`;
  }

  get blobsDir(): string {
    return `${this.root}/blobs`;
  }

  podDir(podName: string): string {
    return `${this.podsDir}/${podName}`;
  }

  imageDir(key: string): string {
    return `${this.imagesDir}/${key}`;
  }

  blobFile(digest: string): string {
    return `${this.blobsDir}/${digest.replace(":", "-")}`;
  }

  aciFile(key: string): string {
    return `${this.root}/tmp/${key}.aci`;
  }

  logDir(app: string): string {
    return `${this.root}/logs/${app}`;
  }

  logWriter(name: string): string {
    return `${this.root}/bin/${name}`;
  }

  netnsFile(podName: string): string {
    return `${this.runRoot}/netns/${podName}`;
  }

  tmpfsDir(podName: string): string {
    return `${this.runRoot}/tmpfs/${podName}`;
  }
}

/** Name of a container in rkt: of its app, its cgroup and its log directory. */
export function appName(identity: PodIdentity, container: string): string {
  return objectName(identity, container);
}

/** Key of an image's folder, by the image's name. */
export function imageKey(name: string): string {
  return `stw-img-${sha256(name).slice(0, 32)}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
