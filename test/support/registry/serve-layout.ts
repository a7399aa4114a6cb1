import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import type { FakeHandler } from "./fake-registry.ts";

/** Answers for a repository with what an OCI layout on disk holds: manifests by digest and by tag, blobs from any byte on. */
export function serveLayout(folder: string, repository: string): FakeHandler {
  const { manifests } = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as {
    readonly manifests: readonly {
      readonly digest: string;
      readonly mediaType: string;
      readonly annotations?: Readonly<Record<string, string>>;
    }[];
  };
  const types = new Map(manifests.map(({ digest, mediaType }) => [digest, mediaType]));
  const tags = new Map(
    manifests.map(({ digest, annotations }) => [
      annotations?.["org.opencontainers.image.ref.name"]?.split(":").at(-1),
      digest,
    ]),
  );
  const pattern = new RegExp(`^(GET|HEAD) /v2/${repository}/(manifests|blobs)/([^?]+)`);
  return ({ line, headers }, response) => {
    const [, method, kind, name = ""] = pattern.exec(line) ?? [];
    const digest = name.startsWith("sha256:") ? name : tags.get(name);
    if (kind === undefined || digest === undefined) return false;
    const bytes = blobOf(folder, digest);
    if (bytes === undefined) return false;
    answer(response, bytes, {
      digest,
      type: types.get(digest) ?? "application/octet-stream",
      isHead: method === "HEAD",
      from: Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0),
    });
    return true;
  };
}

function answer(
  response: ServerResponse,
  bytes: Buffer,
  asked: { digest: string; type: string; isHead: boolean; from: number },
): void {
  const { digest, type, isHead, from } = asked;
  const range = { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(from > 0 ? 206 : 200, {
    "content-type": type,
    "docker-content-digest": digest,
    "content-length": bytes.length - from,
    ...(from > 0 ? range : {}),
  });
  response.end(isHead ? undefined : bytes.subarray(from));
}

function blobOf(folder: string, digest: string): Buffer | undefined {
  try {
    return readFileSync(join(folder, "blobs", digest.replace(":", "/")));
  } catch {
    return undefined;
  }
}
