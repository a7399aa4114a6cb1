import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

/** An image on disk, and where it is to be pushed. */
export interface Push {
  /** An OCI layout with one image. */
  readonly layout: string;
  /** `http://127.0.0.1:5000/v2/app` */
  readonly repository: string;
  readonly tag: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Pushes the image of a layout as tools do: blobs, then manifests from the inside out. @returns digest of what the tag names */
export async function pushImage(push: Push): Promise<string> {
  const index = JSON.parse(readFileSync(join(push.layout, "index.json"), "utf8")) as Descriptor;
  const [top] = index.manifests ?? [];
  if (top === undefined) throw new Error(`There is no image in ${push.layout}`);
  await pushManifest(push, top, push.tag);
  return top.digest;
}

async function pushManifest(push: Push, descriptor: Descriptor, name: string): Promise<void> {
  const bytes = blobOf(push, descriptor.digest);
  const document = JSON.parse(bytes.toString("utf8")) as Descriptor;
  for (const each of document.manifests ?? []) await pushManifest(push, each, each.digest);
  const { config, layers = [] } = document;
  for (const { digest } of config === undefined ? [] : [config, ...layers])
    await pushBlob(push, digest);
  await send(push, `${push.repository}/manifests/${name}`, {
    method: "PUT",
    headers: { "content-type": descriptor.mediaType },
    body: new Uint8Array(bytes),
  });
}

async function pushBlob(push: Push, digest: string): Promise<void> {
  const begun = await send(push, `${push.repository}/blobs/uploads/`, { method: "POST" });
  const place = new URL(begun.headers.get("location") ?? "", push.repository);
  place.searchParams.set("digest", digest);
  await send(push, place.href, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream" },
    body: new Uint8Array(blobOf(push, digest)),
  });
}

function blobOf({ layout }: Push, digest: string): Buffer {
  return readFileSync(join(layout, "blobs", ...digest.split(":")));
}

async function send(push: Push, url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, { ...init, headers: { ...push.headers, ...init.headers } });
  if (answer.ok) return answer;
  throw new Error(`${init.method} ${url}: ${answer.status} ${await answer.text()}`);
}
