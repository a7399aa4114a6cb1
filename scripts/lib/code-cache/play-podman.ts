import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { identityLabels } from "../../../src/engine/index.ts";
import { LABEL_NOTES, notesOf, writeNotes } from "../../../src/engines/podman/pods/notes.ts";
import {
  type AppliedImage,
  type EngineConfig,
  objectName,
  type PodIdentity,
  type PodSpec,
} from "../../../src/model/index.ts";
import { playProgram } from "./play-program.ts";

const ID = "1".repeat(64);
const IMAGE_ID = "2".repeat(64);

/** A podman that has one pod, of a container `main` that ended, and nothing else. */
export function playPodman(
  dir: string,
  identity: PodIdentity,
  pod: PodSpec,
  image: AppliedImage,
): EngineConfig {
  const root = join(dir, "podman-root");
  const name = objectName(identity);
  const files = {
    "libpod/bolt_state.db": "",
    "overlay-containers/containers.json": JSON.stringify([{ id: ID, names: [name] }]),
    "overlay-images/images.lock": "",
    "overlay-images/images.json": "[]",
    "overlay-layers/layers.json": "[]",
  };
  for (const [file, text] of Object.entries(files)) {
    const path = join(root, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const container = { Id: ID, Name: name, ...inspected(identity, pod, image) };
  const program = playProgram(join(dir, "podman"), {
    "--version": ["podman version 4.3.1"],
    inspect: [JSON.stringify([container])],
    json: ["[]"],
  });
  return { kind: "podman", program, root };
}

function inspected(identity: PodIdentity, pod: PodSpec, image: AppliedImage) {
  const spec = pod.containers["main"] ?? { image: image.reference };
  const found = { commandWords: 0, image, imageId: IMAGE_ID, user: "" };
  const notes = writeNotes(notesOf(pod, spec, found));
  const times = { StartedAt: "2026-01-01T00:00:00Z", FinishedAt: "2026-01-01T00:00:01Z" };
  return {
    Image: IMAGE_ID,
    State: { Status: "exited", ...times },
    Config: { Labels: { ...identityLabels(identity, "main"), [LABEL_NOTES]: notes } },
    HostConfig: { LogConfig: { Type: "k8s-file" }, RestartPolicy: { Name: "no" } },
  };
}
