import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import {
  type FakeHandler,
  type FakeRegistry,
  fakeBlob,
  fakeImage,
  fakeRegistry,
  MANIFEST_TYPE,
  serveImage,
} from "../../../test/support/registry/fake-registry.ts";
import { parseImageReference } from "../../model/index.ts";
import type { ImageSource } from "../blob-source.ts";
import { resolveImage } from "../resolve-image.ts";
import { verifyStream } from "../verify-stream.ts";
import { openRegistries } from "./index.ts";

const AMD64 = { os: "linux", architecture: "amd64" };

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function registry(...handlers: FakeHandler[]): Promise<FakeRegistry> {
  const made = await fakeRegistry(...handlers);
  open.push(made);
  return made;
}

async function openApp(
  { domain }: FakeRegistry,
  { reference = "app:1", env = { HOME: "/nowhere" }, signal }: OpenOptions = {},
): Promise<ImageSource> {
  const source = await openRegistries({ env }).open(parseImageReference(`${domain}/${reference}`), {
    signal,
  });
  open.push(source);
  return source;
}

function configDir(config: object): string {
  const dir = mkdtempSync(join(tmpdir(), "stw-docker-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, "config.json"), JSON.stringify(config));
  return dir;
}

interface OpenOptions {
  readonly reference?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

async function bytesOf(source: ImageSource, digest: string, offset?: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source.open(digest, offset)) parts.push(part);
  return Buffer.concat(parts);
}

const text =
  (status: number, body: string, headers: Record<string, string> = {}): FakeHandler =>
  (_, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };

const only =
  (start: string, handler: FakeHandler): FakeHandler =>
  (request, response) =>
    request.line.startsWith(start) ? handler(request, response) : false;

describe("an image in a registry", () => {
  test("is resolved for a platform, and its blobs are read from where they are asked for", async () => {
    const image = fakeImage();
    const made = await registry(serveImage(image));
    const source = await openApp(made);
    const found = await resolveImage(source, `${source.location}:1`, AMD64);
    expect(found.manifest.digest).toBe(image.manifest.digest);
    expect(found.layers.map(({ digest }) => digest)).toEqual([image.layer.digest]);
    // the manifest and its config: of layers it knows enough
    expect(made.asked).toHaveLength(2);
    expect(await bytesOf(source, image.layer.digest)).toEqual(image.layer.bytes);
    expect(await bytesOf(source, image.layer.digest, 1000)).toHaveLength(24);
  });

  test("is found through an index, whose manifests are manifests there as well", async () => {
    const image = fakeImage();
    const type = "application/vnd.docker.distribution.manifest.list.v2+json";
    const index = fakeBlob(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: type,
        manifests: [
          {
            mediaType: MANIFEST_TYPE,
            digest: image.manifest.digest,
            size: image.manifest.bytes.length,
            platform: AMD64,
          },
        ],
      }),
    );
    const made = await registry(
      only(
        "GET /v2/app/manifests/all",
        text(200, index.bytes.toString(), { "content-type": type }),
      ),
      serveImage(image),
    );
    const source = await openApp(made, { reference: "app:all" });
    const found = await resolveImage(source, `${made.domain}/app:all`, AMD64);
    expect(found.index?.digest).toBe(index.digest);
    expect(found.manifest.digest).toBe(image.manifest.digest);
    const kinds = made.asked.find(({ line }) => line.includes("/manifests/all"))?.headers.accept;
    expect(kinds?.split(", ")).toHaveLength(4);
  });

  test("a connection that breaks in a blob is gone on with where it broke", async () => {
    const image = fakeImage(Buffer.alloc(3_000_000, "x"));
    let broken = 0;
    const breaking: FakeHandler = ({ line, headers }, response) => {
      if (!line.startsWith(`GET /v2/app/blobs/${image.layer.digest}`) || broken >= 2) return false;
      broken += 1;
      const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
      const { length } = image.layer.bytes;
      response.writeHead(from > 0 ? 206 : 200, {
        "content-length": length - from,
        "content-range": `bytes ${from}-${length - 1}/${length}`,
      });
      response.write(image.layer.bytes.subarray(from, from + 1_000_000), () =>
        response.socket?.destroy(),
      );
      return true;
    };
    const made = await registry(breaking, serveImage(image));
    const source = await openApp(made);
    expect((await bytesOf(source, image.layer.digest)).equals(image.layer.bytes)).toBe(true);
    const ranges = made.asked.flatMap(({ headers }) => headers.range ?? []);
    expect(ranges).toHaveLength(2);
    for (const range of ranges) expect(range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  test("one that begins anew instead of in the middle is passed over to there", async () => {
    const image = fakeImage(Buffer.from("0123456789"));
    const made = await registry(
      only("GET /v2/app/blobs/", text(200, "0123456789")),
      serveImage(image),
    );
    const source = await openApp(made);
    expect((await bytesOf(source, image.layer.digest, 4)).toString()).toBe("456789");
  });

  test("it waits as it is told, and asks again", async () => {
    let refusals = 0;
    const busy: FakeHandler = (_, response) => {
      refusals += 1;
      if (refusals > 2) return false;
      response.writeHead(refusals === 1 ? 429 : 503, { "retry-after": "0" }).end();
      return true;
    };
    await openApp(await registry(busy, serveImage(fakeImage())));
    expect(refusals).toBe(3);
  });

  test("is stopped while it waits", async () => {
    const made = await registry(text(429, "", { "retry-after": "60" }));
    const signal = AbortSignal.timeout(50);
    await expect(openApp(made, { signal })).rejects.toThrow(/abort|timeout/i);
  });
});

test("a blob that is being read is stopped, for the reason that was given", async () => {
  const image = fakeImage(Buffer.alloc(3_000_000));
  const stalling: FakeHandler = ({ line }, response) => {
    if (!line.includes("/blobs/")) return false;
    response.writeHead(200, { "content-length": 3_000_000 });
    response.write(Buffer.alloc(1000));
    return true;
  };
  const stop = new AbortController();
  const made = await registry(stalling, serveImage(image));
  const source = await openApp(made, { signal: stop.signal });
  const parts = source.open(image.layer.digest)[Symbol.asyncIterator]();
  await parts.next();
  const next = parts.next();
  stop.abort(new Error("enough"));
  await expect(next).rejects.toThrow("enough");
});

describe("what a registry may not do", () => {
  const image = fakeImage();
  test.each<[what: string, handler: FakeHandler, code: string, message: RegExp]>([
    [
      "answer with html",
      text(200, "<html>", { "content-type": "text/html" }),
      "invalid_argument",
      /it is text\/html, not a manifest/,
    ],
    [
      "answer with another document",
      text(200, "{}", { "content-type": "application/json" }),
      "invalid_argument",
      /not a manifest/,
    ],
    [
      "send another manifest than the digest says",
      text(200, image.manifest.bytes.toString(), {
        "content-type": MANIFEST_TYPE,
        "docker-content-digest": `sha256:${"0".repeat(64)}`,
      }),
      "invalid_argument",
      /its bytes have the digest/,
    ],
    [
      "send a manifest without an end",
      text(200, "x".repeat(5_000_000), { "content-type": MANIFEST_TYPE }),
      "invalid_argument",
      /more than the 4194304 bytes that it may have/,
    ],
    [
      "redirect for ever",
      text(307, "", { location: "/v2/app/manifests/1" }),
      "invalid_argument",
      /redirects more than 5 times/,
    ],
    [
      "redirect to nowhere",
      text(307, "", { location: "file:///etc/passwd" }),
      "invalid_argument",
      /redirects to an unusable address/,
    ],
    ["have none of that name", text(404, ""), "not_found", /does not have it/],
    [
      "forbid it",
      text(403, JSON.stringify({ errors: [{ code: "DENIED", message: "not\u001b[31m yours" }] })),
      "permission_denied",
      /denies access \(not \[31m yours\)/,
    ],
    [
      "want a proof that nobody has",
      text(401, "", { "www-authenticate": "Negotiate" }),
      "invalid_argument",
      /an unknown kind of authentication/,
    ],
    [
      "want credentials where there are none",
      text(401, "", { "www-authenticate": 'Basic realm="x"' }),
      "unauthenticated",
      /log in with docker login/,
    ],
    [
      "have tokens given out in the open elsewhere",
      text(401, "", { "www-authenticate": 'Bearer realm="ftp://x/"' }),
      "invalid_argument",
      /no TLS address/,
    ],
    ["fail", text(418, ""), "internal", /answered with status 418/],
  ])("%s", async (_, handler, code, message) => {
    const made = await registry(handler);
    const opened = openApp(made);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toMatchObject({ code });
    await expect(opened).rejects.toThrow(made.domain);
  });

  test("be silent: the error says so, and how to go on", async () => {
    const made = await registry();
    await made[Symbol.asyncDispose]();
    open.pop();
    await expect(openApp(made)).rejects.toThrow(
      /cannot be reached: .*ECONNREFUSED.*check that it runs/,
    );
  });

  test.each([
    ["other bytes", Buffer.alloc(1024, "y"), /its bytes have the digest/],
    ["fewer bytes", Buffer.alloc(100), /it has 100 of the 1024 bytes/],
    ["more bytes, for ever", Buffer.alloc(8_000_000), /more than the 1024 bytes declared/],
    ["a bomb", gzipSync(Buffer.alloc(50_000_000)), /more than the 1024 bytes declared/],
  ])("give %s for a layer: whoever takes it in refuses it", async (_, body, message) => {
    const lying: FakeHandler = ({ line }, response) => {
      if (!line.startsWith(`GET /v2/app/blobs/${image.layer.digest}`)) return false;
      response.writeHead(200).end(body);
      return true;
    };
    const source = await openApp(await registry(lying, serveImage(image)));
    const read = async () => {
      const { digest, bytes } = image.layer;
      for await (const _part of verifyStream(source.open(digest), digest, bytes.length));
    };
    await expect(read()).rejects.toThrow(message);
  });
});

describe("who asks", () => {
  const PASSWORD = "s3cret/canary";
  const basic = `Basic ${Buffer.from(`ann:${PASSWORD}`).toString("base64")}`;

  function withLogin(domain: string) {
    return { auths: { [domain]: { auth: basic.slice("Basic ".length) } } };
  }

  test("basic credentials of the user's Docker config are shown when they are asked for", async () => {
    const guard: FakeHandler = ({ headers }, response) => {
      if (headers.authorization === basic) return false;
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      return true;
    };
    const made = await registry(guard, serveImage(fakeImage()));
    await openApp(made, { env: { DOCKER_CONFIG: configDir(withLogin(made.domain)) } });
    const wrong = openApp(made, {
      env: { DOCKER_CONFIG: configDir({ auths: { [made.domain]: { auth: "YTpi" } } }) },
    });
    await expect(wrong).rejects.toMatchObject({ code: "unauthenticated" });
    await expect(wrong).rejects.not.toThrow(/YTpi|canary/);
  });

  test("a token is had for the scope that is asked for, with the credentials, and used until it is refused", async () => {
    const image = fakeImage();
    let valid = "first";
    const made = await registry();
    const guard: FakeHandler = ({ line, headers }, response) => {
      if (line.startsWith("GET /token")) {
        response.end(JSON.stringify({ token: valid }));
        return true;
      }
      if (headers.authorization === `Bearer ${valid}`) return false;
      const realm = `http://${made.domain}/token`;
      const challenge = `Bearer realm="${realm}",service="reg, one",scope="repository:app:pull"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
      return true;
    };
    made.handlers.push(guard, serveImage(image));
    const source = await openApp(made, {
      env: { DOCKER_CONFIG: configDir(withLogin(made.domain)) },
    });
    await bytesOf(source, image.layer.digest);
    const asked = made.asked.filter(({ line }) => line.startsWith("GET /token"));
    expect(asked.map(({ line }) => decodeURIComponent(line))).toEqual([
      "GET /token?service=reg,+one&scope=repository:app:pull",
    ]);
    expect(asked[0]?.headers.authorization).toBe(basic);
    valid = "second";
    expect(await bytesOf(source, image.layer.digest)).toEqual(image.layer.bytes);
  });

  test("an identity token is exchanged, in a body", async () => {
    const made = await registry();
    const guard: FakeHandler = ({ line, headers, body }, response) => {
      if (line === "POST /token") {
        const isRight = new URLSearchParams(body).get("refresh_token") === PASSWORD;
        response.writeHead(isRight ? 200 : 401).end('{"access_token":"t"}');
        return true;
      }
      if (headers.authorization === "Bearer t") return false;
      const challenge = `Bearer realm="http://${made.domain}/token"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
      return true;
    };
    made.handlers.push(guard, serveImage(fakeImage()));
    const source = await openApp(made, {
      env: { DOCKER_CONFIG: configDir({ auths: { [made.domain]: { identitytoken: PASSWORD } } }) },
    });
    expect(source.entries).toHaveLength(1);
    expect(made.asked.map(({ line }) => line).join()).not.toContain("canary");
  });

  test("a token service that is down, or answers nonsense, is named", async () => {
    const made = await registry();
    const challenge = `Bearer realm="http://${made.domain}/token"`;
    made.handlers.push(only("GET /v2", text(401, "", { "www-authenticate": challenge })));
    await expect(openApp(made)).rejects.toThrow(`get a token from ${made.domain}`);
    made.handlers.unshift(only("GET /token", text(200, '{"token":"a\\nb"}')));
    await expect(openApp(made)).rejects.toThrow("it holds no token");
    made.handlers.shift();
    made.handlers.unshift(only("GET /token", text(200, '{"token":"t"}')));
    await expect(openApp(made)).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("nothing of who asks goes to the host of a redirect", async () => {
    const image = fakeImage();
    const store = await registry(serveImage(image));
    const guard: FakeHandler = ({ line, headers }, response) => {
      if (headers.authorization !== basic) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
        return true;
      }
      if (!line.includes("/blobs/")) return false;
      const location = `http://${store.domain}${line.split(" ")[1]}`;
      response.writeHead(307, { location }).end();
      return true;
    };
    const made = await registry(guard, serveImage(image));
    const source = await openApp(made, {
      env: { DOCKER_CONFIG: configDir(withLogin(made.domain)) },
    });
    expect(await bytesOf(source, image.layer.digest)).toEqual(image.layer.bytes);
    expect(store.asked).toHaveLength(1);
    expect(store.asked[0]?.headers.authorization).toBeUndefined();
  });
});
