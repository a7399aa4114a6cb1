import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  aciName,
  FLEET_PREFIX,
  type ImageRecord,
} from "../../../src/engines/rkt/images/image-record.ts";
import { appName, imageKey, RktLayout } from "../../../src/engines/rkt/layout.ts";
import { manifestLabels, type PodFile } from "../../../src/engines/rkt/pods/pod-file.ts";
import {
  type AppliedImage,
  type EngineConfig,
  type HostDirectories,
  objectName,
  type PodIdentity,
} from "../../../src/model/index.ts";
import { playProgram } from "./play-program.ts";

const VERSION = [
  "rkt Version: 1.30.0",
  "appc Version: 0.8.11",
  "Go Version: go1.19",
  "Go OS/Arch: linux/amd64",
  "Features: -TPM +SDJOURNAL",
];
const UUID = "00000000-0000-4000-8000-000000000000";
const ACI = `sha512-${"1".repeat(64)}`;

/** An rkt that has one pod, of a container `main` that ended, and its image. */
export function playRkt(
  dir: string,
  directories: HostDirectories,
  identity: PodIdentity,
  image: AppliedImage,
): EngineConfig {
  const data = join(dir, "rkt-data");
  const layout = new RktLayout(directories, data);
  const app = appName(identity, "main");
  const podDir = layout.podDir(objectName(identity));
  const folder = `${data}/pods/exited-garbage/${UUID}`;
  const key = imageKey(image.reference);
  const manifest = JSON.stringify({
    apps: [{ name: app, image: { id: ACI }, app: { exec: ["sleep", "1"] } }],
    userLabels: manifestLabels(identity, "main", layout.scope),
  });
  const files = {
    [`${podDir}/pod.json`]: JSON.stringify(podFile(identity, image)),
    [`${podDir}/main.manifest`]: manifest,
    [`${podDir}/main.pid`]: "1\n",
    [`${podDir}/main.exit`]: "0 2026-01-01T00:00:00Z \n",
    [`${folder}/pod`]: manifest,
    [`${folder}/appsinfo/${app}/treeStoreID`]: "",
    [`${layout.imageDir(key)}/image.json`]: JSON.stringify(imageRecord(image)),
    [`${layout.imageDir(key)}/${FLEET_PREFIX}${identity.fleet}.${identity.owner}`]: "",
    [`${data}/cas/db/x`]: "",
    [`${data}/cas/imageManifest/sha512/11/${ACI}`]: JSON.stringify({ name: aciName(layout, key) }),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const program = playProgram(join(dir, "rkt"), { version: VERSION, list: ["null"] });
  return { kind: "rkt", program, dir: data };
}

function imageRecord({ reference, digest }: AppliedImage): ImageRecord {
  const blob = { mediaType: "application/octet-stream", digest, size: 1 };
  return {
    version: 1,
    name: reference,
    reference,
    manifest: blob,
    config: blob,
    layers: [blob],
    diffIds: [digest],
    defaults: { env: ["PATH=/bin"] },
    aci: ACI,
  };
}

function podFile(identity: PodIdentity, { reference, digest }: AppliedImage): PodFile {
  return {
    version: 1,
    identity,
    recordDigest: digest,
    network: "none",
    hostname: identity.pod,
    podDeclared: [],
    tmpfs: [],
    containers: {
      main: {
        uuid: UUID,
        image: { reference, digest },
        declared: ["command"],
        commandWords: 2,
        userHasGroup: false,
        volumes: {},
        logging: { mode: "file", maxBytes: 1, maxFiles: 1 },
        limits: {},
      },
    },
  };
}
