import { hash } from "node:crypto";
import type { ContainerSpec } from "./container.ts";
import type { FileSpec } from "./file.ts";
import { objectCode } from "./object-name.ts";
import type { PodSpec } from "./pod.ts";

/** A file of a pod with where it is declared and how it is to be. */
export interface DeclaredFile {
  readonly container: string;
  /** Path in the container. */
  readonly path: string;
  /** Attribute path in the pod: `containers.web.files["/etc/app.conf"]`. */
  readonly attribute: string;
  readonly spec: FileSpec;
  /** Its name in the generation's directory on the host. */
  readonly name: string;
  readonly mode: number;
  /** Absent: root, or whoever runs the engine. */
  readonly uid?: number;
  readonly gid?: number;
}

/** The files of a pod. */
export function filesOf(pod: PodSpec): readonly DeclaredFile[] {
  return Object.entries(pod.containers).flatMap(([container, spec]) =>
    Object.entries(spec.files ?? {}).map(([path, file]) => ({
      container,
      path,
      attribute: `containers.${container}.files[${JSON.stringify(path)}]`,
      spec: file,
      name: `${container}-${objectCode([container, path])}`,
      mode: Number.parseInt(file.mode ?? (file.secret === undefined ? "0444" : "0400"), 8),
      ...ownerOf(spec, file),
    })),
  );
}

/** Whether a pod has any file. */
export function hasFiles(pod: PodSpec): boolean {
  return Object.values(pod.containers).some(({ files }) => Object.keys(files ?? {}).length > 0);
}

/** What is in a file that is no secret; undefined for one. */
export function fileContent({ content, base64, secret }: FileSpec): Buffer | undefined {
  if (secret !== undefined) return undefined;
  return base64 === undefined ? Buffer.from(content ?? "") : Buffer.from(base64, "base64");
}

/** A content for people, who are not shown all of it: its size and the beginning of its digest. */
export function contentWords(content: Uint8Array): string {
  const { length } = content;
  const digest = hash("sha256", content, "hex").slice(0, 12);
  return `${length} byte${length === 1 ? "" : "s"} (sha256:${digest})`;
}

function ownerOf(
  { user }: ContainerSpec,
  { uid, gid }: FileSpec,
): Pick<DeclaredFile, "uid" | "gid"> {
  const [own, group] = (user ?? "").split(":").map(numberOf);
  const [owner, ownerGroup] = [uid ?? own, gid ?? group];
  return {
    ...(owner === undefined ? {} : { uid: owner }),
    ...(ownerGroup === undefined ? {} : { gid: ownerGroup }),
  };
}

function numberOf(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
