import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a fake registry was asked. */
export interface FakeRequest {
  /** `GET /v2/app/manifests/1` */
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Address of who asks. */
  readonly from: string;
}

/** Answers a request, or leaves it (returns false) to the next one. */
export type FakeHandler = (
  request: FakeRequest,
  response: ServerResponse,
) => boolean | Promise<boolean>;

/** A registry that does as it is told. */
export interface FakeRegistry extends AsyncDisposable {
  readonly domain: string;
  readonly asked: readonly FakeRequest[];
  /** Handlers, first to last. */
  readonly handlers: FakeHandler[];
}

/** Starts a fake on loopback; what no handler takes is answered with 404. */
export async function fakeRegistry(...handlers: FakeHandler[]): Promise<FakeRegistry> {
  return await fakeRegistryAt("127.0.0.1", ...handlers);
}

/** Like {@link fakeRegistry}, on another address of this machine. */
export async function fakeRegistryAt(
  address: string,
  ...handlers: FakeHandler[]
): Promise<FakeRegistry> {
  const asked: FakeRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request = {
      line: `${incoming.method} ${incoming.url}`,
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString("utf8"),
      from: incoming.socket.remoteAddress ?? "",
    };
    asked.push(request);
    for (const handler of handlers) if (await handler(request, response)) return;
    response.writeHead(404).end();
  }).listen(0, address);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    domain: `${address}:${port}`,
    asked,
    handlers,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A blob with its digest. */
export interface FakeBlob {
  readonly bytes: Buffer;
  readonly digest: string;
}

export function fakeBlob(content: string | Buffer): FakeBlob {
  const bytes = Buffer.from(content);
  return { bytes, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
}

/** An image of one layer for linux/amd64. */
export interface FakeImage {
  readonly layer: FakeBlob;
  readonly config: FakeBlob;
  readonly manifest: FakeBlob;
}

const OCI = "application/vnd.oci.image";
export const MANIFEST_TYPE = `${OCI}.manifest.v1+json`;

export function fakeImage(layerBytes: Buffer = Buffer.alloc(1024)): FakeImage {
  const layer = fakeBlob(layerBytes);
  const rootfs = { type: "layers", diff_ids: [layer.digest] };
  const config = fakeBlob(JSON.stringify({ os: "linux", architecture: "amd64", rootfs }));
  const descriptor = (mediaType: string, { bytes, digest }: FakeBlob) => ({
    mediaType,
    digest,
    size: bytes.length,
  });
  const manifest = fakeBlob(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: descriptor(`${OCI}.config.v1+json`, config),
      layers: [descriptor(`${OCI}.layer.v1.tar`, layer)],
    }),
  );
  return { layer, config, manifest };
}

/** Serves an image under `app:1`, as a registry does. */
export function serveImage({ layer, config, manifest }: FakeImage): FakeHandler {
  const found = new Map<string, readonly [kind: string, blob: FakeBlob]>([
    ["/v2/app/manifests/1", [MANIFEST_TYPE, manifest]],
    [`/v2/app/manifests/${manifest.digest}`, [MANIFEST_TYPE, manifest]],
    ...[layer, config].map(
      (blob) => [`/v2/app/blobs/${blob.digest}`, ["application/octet-stream", blob]] as const,
    ),
  ]);
  return ({ line, headers }, response) => {
    const [method, url = ""] = line.split(" ");
    const [kind, blob] = found.get(url) ?? [];
    if (blob === undefined) return false;
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    const { length } = blob.bytes;
    const range = from > 0 ? { "content-range": `bytes ${from}-${length - 1}/${length}` } : {};
    const status = from > 0 ? 206 : 200;
    response.writeHead(status, { "content-type": kind, "content-length": length - from, ...range });
    response.end(method === "HEAD" ? undefined : blob.bytes.subarray(from));
    return true;
  };
}
