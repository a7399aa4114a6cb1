import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type FakeHandler,
  type FakeRegistry,
  fakeImage,
  fakeRegistry,
  serveImage,
} from "../../../test/support/registry/fake-registry.ts";
import { findOnPath } from "../../internal/index.ts";
import { parseImageReference, type RegistrySpec } from "../../model/index.ts";
import { openRegistries } from "./index.ts";

const opened: AsyncDisposable[] = [];
let hostsDirectory = "";
beforeEach(() => {
  hostsDirectory = mkdtempSync(join(tmpdir(), "stw-certs-"));
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
  rmSync(hostsDirectory, { recursive: true, force: true });
});

const image = fakeImage();
async function registry(...handlers: FakeHandler[]): Promise<FakeRegistry> {
  const made = await fakeRegistry(...handlers);
  opened.push(made);
  return made;
}
/** Serves the image whatever is asked for in the query. */
const serving = () =>
  registry((request, response) =>
    serveImage(image)({ ...request, line: request.line.replace(/\?.*/, "") }, response),
  );

function write(domain: string, toml: string): string {
  const file = join(hostsDirectory, domain, "hosts.toml");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, toml);
  return file;
}

async function open(reference: string, declared: Readonly<Record<string, RegistrySpec>> = {}) {
  const registries = openRegistries({ env: { HOME: "/nowhere" }, declared, hostsDirectory });
  const source = await registries.open(parseImageReference(reference));
  opened.push(source);
  return source;
}

const lines = ({ asked }: FakeRegistry) => asked.map(({ line }) => line);

describe("a hosts.toml", () => {
  test("names hosts that are asked in order, told for which registry, and with its headers", async () => {
    const [without, mirror] = await Promise.all([registry(), serving()]);
    write(
      "registry.example",
      `server = "http://127.0.0.1:1"
[host."http://${without.domain}"]
[host."http://${mirror.domain}"]
  capabilities = ["pull", "resolve"]
  [host."http://${mirror.domain}".header]
    x-site = ["berlin", "two"]`,
    );
    const source = await open("registry.example/app:1");
    expect(source.location).toBe(`${mirror.domain}/app`);
    expect(lines(without)[0]).toMatch(/^\w+ \/v2\/app\/manifests\/1\?ns=registry\.example$/);
    expect(mirror.asked[0]?.headers["x-site"]).toBe("berlin, two");
  });

  test("has the registry itself asked last, where it says, without the name of a mirror's", async () => {
    const [without, server] = await Promise.all([registry(), serving()]);
    write(
      "registry.example",
      `server = "http://${server.domain}"\n[host."http://${without.domain}"]`,
    );
    const source = await open("registry.example/app:1");
    expect(source.location).toBe("registry.example/app");
    expect(lines(server)[0]).toMatch(/\/v2\/app\/manifests\/1$/);
  });

  test("keeps from a host what it is not to be asked for", async () => {
    const [tagless, none, mirror] = await Promise.all([serving(), serving(), serving()]);
    write(
      "registry.example",
      `server = "http://${mirror.domain}"
[host."http://${none.domain}"]
  capabilities = ["push"]
[host."http://${tagless.domain}"]
  capabilities = ["pull"]`,
    );
    await open("registry.example/app:1");
    expect([none.asked, tagless.asked]).toEqual([[], []]);
    await open(`registry.example/app@${image.manifest.digest}`);
    expect(none.asked).toEqual([]);
    expect(tagless.asked.length).toBeGreaterThan(0);
  });

  test("may leave nobody to be asked, which is said", async () => {
    write("registry.example", 'capabilities = ["push"]');
    await expect(open("registry.example/app:1")).rejects.toThrow(
      "the hosts.toml of registry registry.example allows no host for it",
    );
  });

  test("may give the whole path of a host", async () => {
    const mirror = await registry((request, response) => {
      const line = request.line.replace(/\?.*/, "").replace("/proxy/hub/", "/v2/");
      return serveImage(image)({ ...request, line }, response);
    });
    write("registry.example", `[host."http://${mirror.domain}/proxy/hub"]\n  override_path = true`);
    await open("registry.example/app:1");
    expect(lines(mirror)[0]).toContain("/proxy/hub/app/manifests/1");
  });

  test.each(["registry.example_5000_", "registry.example:5000", "_default"])(
    "is found in folder %s",
    async (folder) => {
      const mirror = await serving();
      write(folder, `[host."http://${mirror.domain}"]`);
      expect((await open("registry.example:5000/app:1")).location).toBe(`${mirror.domain}/app`);
    },
  );

  test("gives way to what the fleet declares", async () => {
    const [mirror, declared] = await Promise.all([serving(), serving()]);
    write("registry.example", `[host."http://${mirror.domain}"]`);
    await open("registry.example/app:1", { "registry.example": { mirrors: [declared.domain] } });
    expect(mirror.asked).toEqual([]);
  });

  test.each([
    ["is no TOML", "server = "],
    ["has another form", 'capabilities = ["fly"]'],
    ["names a file that is not there", 'ca = "gone.pem"'],
    ["has a login in an address", '[host."https://ann:canary@mirror.example"]'],
  ])("that %s is an error with its path and what to do", async (_, toml) => {
    const file = write("registry.example", toml);
    const error = await open("registry.example/app:1").catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "failed_precondition" });
    const { message } = error as Error;
    expect(message).toContain(`Cannot use "${file}": `);
    expect(message).toContain("fix it, or declare the registry");
    expect(message).not.toContain("canary");
  });
});

describe.skipIf(findOnPath("openssl") === undefined)("over TLS (needs openssl)", () => {
  /** A registry whose certificate nobody knows. */
  async function strange(): Promise<string> {
    const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(hostsDirectory, name));
    execFileSync(
      "openssl",
      [
        ...[
          "req",
          "-x509",
          "-newkey",
          "rsa:2048",
          "-nodes",
          "-days",
          "2",
          "-subj",
          "/CN=localhost",
        ],
        ...["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", `${key}`, "-out", `${cert}`],
      ],
      { stdio: "ignore" },
    );
    const files = { key: readFileSync(`${key}`), cert: readFileSync(`${cert}`) };
    const server = createServer(files, async (request, response) => {
      const line = `${request.method} ${request.url?.replace(/\?.*/, "")}`;
      const asked = { line, headers: request.headers, body: "", from: "" };
      if (!(await serveImage(image)(asked, response))) response.writeHead(404).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    opened.push({
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      },
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test("a host is believed with its ca or without proof, and not else", async () => {
    const domain = await strange();
    const host = (more: string) =>
      write("registry.example", `server = "https://${domain}"\n${more}`);
    host("");
    await expect(open("registry.example/app:1")).rejects.toMatchObject({ code: "unavailable" });
    // relative to the file
    host('ca = "../cert.pem"\nclient = [["../cert.pem", "../key.pem"]]');
    expect((await open("registry.example/app:1")).entries).toHaveLength(1);
    host("skip_verify = true");
    expect((await open("registry.example/app:1")).entries).toHaveLength(1);
  });
});
