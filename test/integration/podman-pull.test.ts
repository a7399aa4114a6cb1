import { execFile } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type PrivatePodman, privatePodman } from "../../scripts/lib/private-podman.ts";
import type { Engine, ImageContent } from "../../src/engine/index.ts";
import { openPodman } from "../../src/engines/podman/index.ts";
import { openLocalHost } from "../../src/host/index.ts";
import { openRegistries } from "../../src/image/registry/index.ts";
import { ImageStore } from "../../src/reconcile/images/image-store.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import {
  type FakeRegistry,
  fakeImage,
  fakeRegistry,
  serveImage,
} from "../support/registry/fake-registry.ts";

const PASSWORD = "canary-4712";
const AUTH = Buffer.from(`ann:${PASSWORD}`).toString("base64");
const REFERENCE = "registry.example/app:1";
const OWNER = { owner: "me", fleet: "shop" };
const image = fakeImage();

describeWithEngine("podman", "podman pulls by itself", (provided) => {
  let folder = "";
  let podman: PrivatePodman;
  let engine: Engine;
  let registry: FakeRegistry;
  /** What was seen while podman was waiting for a layer. */
  let seen: { readonly argv: string; readonly modes: readonly string[] };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "stw-pull-"));
    podman = privatePodman(folder, provided.address);
    const directories = { stateDir: join(folder, "state"), runDir: join(folder, "run") };
    engine = await openPodman(podman.config, openLocalHost(), directories);
    registry = await fakeRegistry(({ headers }, response) => {
      if (headers.authorization === `Basic ${AUTH}`) return false;
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      return true;
    });
    registry.handlers.push(({ line, headers }) => {
      if (line.includes(image.layer.digest) && isPodman(headers)) seen = look();
      return false;
    }, serveImage(image));
    const auths = { [registry.domain]: { auth: AUTH } };
    writeFileSync(join(folder, "auth.json"), JSON.stringify({ auths }));
  });

  afterEach(async () => {
    podman.remove();
    await registry[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const isPodman = (headers: Readonly<Record<string, unknown>>): boolean =>
    /containers|podman|libpod/i.test(String(headers["user-agent"]));

  function look(): typeof seen {
    const argv = readdirSync("/proc").flatMap((pid) => {
      try {
        return /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : [];
      } catch {
        return [];
      }
    });
    return {
      argv: argv.join("\n"),
      modes: logins().map((path) => statSync(path).mode.toString(8)),
    };
  }

  function logins(): readonly string[] {
    const root = join(folder, "run");
    if (!existsSync(root)) return [];
    return readdirSync(root, { recursive: true, encoding: "utf8" })
      .map((name) => join(root, name))
      .filter((path) => path.endsWith("auth.json"));
  }

  async function content(conf: string, reference = REFERENCE): Promise<ImageContent> {
    const file = join(folder, "registries.conf");
    writeFileSync(file, conf);
    const env = {
      HOME: folder,
      CONTAINERS_REGISTRIES_CONF: file,
      REGISTRY_AUTH_FILE: join(folder, "auth.json"),
    };
    const registries = openRegistries({ env, readsRegistriesConf: true });
    await using store = new ImageStore({}, folder, { registries });
    const { platform } = await engine.info();
    return await store.contentOf(reference, platform, image.manifest.digest);
  }

  const mirrored = (domain: string): string => `[[registry]]
location = "registry.example"
[[registry.mirror]]
location = "${domain}"
insecure = true
`;

  /** All names of all images; 4.3 lists an image once a name. */
  function names(): readonly string[] {
    const images = JSON.parse(podman.run("images", "--format", "json")) as readonly {
      readonly Names?: readonly string[];
    }[];
    return [...new Set(images.flatMap(({ Names }) => Names ?? []))];
  }

  test("from the mirror that the host's registries.conf names, with a login that nobody sees, and by no name but ours", async () => {
    await engine.importImage(await content(mirrored(registry.domain)), OWNER);
    expect(seen.argv).toContain(`pull\0--quiet`);
    expect(seen.argv).not.toContain(PASSWORD);
    expect(seen.argv).not.toContain(AUTH);
    expect(seen.modes).toEqual(["100600"]);
    expect(logins()).toEqual([]);
    expect(names()).toEqual([expect.stringMatching(/^localhost\/stowage\/\S+$/)]);
    expect((await engine.observe()).images).toEqual([
      expect.objectContaining({ digest: image.manifest.digest, fleets: ["me/shop"] }),
    ]);
    // none of it came through here
    const layers = registry.asked.filter(({ line }) => line === `GET ${layerPath}`);
    expect(layers.map(({ headers }) => isPodman(headers))).toEqual([true]);
    await engine.releaseImage(`${REFERENCE}@${image.manifest.digest}`, OWNER);
    expect(names()).toEqual([]);
  });

  const layerPath = `/v2/app/blobs/${image.layer.digest}`;

  test("one that the user pulled keeps its name, and outlives ours", async () => {
    const name = `${registry.domain}/app@${image.manifest.digest}`;
    const login = ["--authfile", join(folder, "auth.json")];
    // the registry is in this process, and has to answer meanwhile
    const pull = [...podman.flags, "pull", "--quiet", "--tls-verify=false", ...login, name];
    await promisify(execFile)(provided.address, pull);
    const mine = names();
    const reference = `${registry.domain}/app:1`;
    await engine.importImage(await content("", reference), OWNER);
    expect(names()).toHaveLength(2);
    await engine.releaseImage(`${reference}@${image.manifest.digest}`, OWNER);
    expect(names()).toEqual(mine);
  });

  test("what a killed pull left goes: its files, its login, and the image that got no name of ours", async () => {
    const found = await content(mirrored(registry.domain));
    const name = `${found.registry?.repository}@${image.manifest.digest}`;
    await engine.importImage(found, OWNER);
    const [tag = ""] = names();
    podman.run("tag", tag, "registry.example/app:other");
    await engine.releaseImage(`${REFERENCE}@${image.manifest.digest}`, OWNER);
    expect(name).toBe(`registry.example/app@${image.manifest.digest}`);
    // as if Stowage had been killed between the pull and what comes after it
    const [store = ""] = readdirSync(join(folder, "state/.podman"));
    const work = join(folder, "state/.podman", store, "imports/stw-import-cut");
    const host = openLocalHost();
    await host.writeFile(`${work}/pulled-name`, "registry.example/app:other");
    await host.writeFile(join(folder, "run/podman-logins/stw-import-cut/auth.json"), "{}");
    expect((await engine.observe()).leftovers).toEqual([
      { name: "stw-import-cut", what: "import" },
    ]);
    await engine.removeLeftover("stw-import-cut");
    expect((await engine.observe()).leftovers).toEqual([]);
    expect([...names(), ...logins()]).toEqual([]);
  });

  test("a registry that the file blocks is not asked, by the plan either", async () => {
    const blocked = '[[registry]]\nlocation = "registry.example"\nblocked = true\n';
    await expect(content(blocked)).rejects.toThrow(/registries\.conf blocks registry\.example/);
    expect(registry.asked).toEqual([]);
  });
});
