import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeImage } from "../../../scripts/lib/image-maker/build-image.ts";
import { type ErrorCode, StowageError } from "../../errors/index.ts";
import { openImageSource } from "../../image/index.ts";
import type { Registries } from "../../image/registry/index.ts";
import {
  type FleetManifest,
  type ObservedImage,
  type PodRecord,
  RECORD_VERSION,
} from "../../model/index.ts";
import type { HostObservation } from "../../plan/index.ts";
import {
  FLEET_LOCK_VERSION,
  type FleetLock,
  platformKey,
  readFleetLock,
  writeFleetLock,
} from "./fleet-lock.ts";
import { ImageStore } from "./image-store.ts";
import { lockImages } from "./lock-images.ts";
import { resolveImages } from "./resolve-images.ts";

const REFERENCE = "example.test/app:1";
const HELD = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;

let dir: string;
let onDisk: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stw-resolve-"));
  const made = makeImage({
    out: join(dir, "images"),
    reference: REFERENCE,
    files: new Map([["/app", { content: "x" }]]),
    platforms: [{ os: "linux", architecture: "amd64" }],
  });
  onDisk = made.manifests[0]?.digest ?? "";
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

interface World {
  readonly reference?: string;
  readonly images?: FleetManifest["images"];
  readonly held?: readonly Partial<ObservedImage>[];
  readonly applied?: string;
  readonly lock?: FleetLock;
  /** Opens what a registry has under a reference. */
  readonly registry?: Registries["open"];
}

function observationOf({ held = [], applied }: World): HostObservation {
  const generation = {
    generation: 1,
    spec: { containers: { main: { image: REFERENCE } } },
    images: { main: { reference: REFERENCE, digest: applied ?? HELD } },
    defaults: 1,
  };
  const record: PodRecord = {
    version: RECORD_VERSION,
    owner: "acme",
    fleet: "shop",
    host: "alpha",
    pod: "web",
    current: 1,
    generations: [generation],
    appliedAt: "2026-01-01T00:00:00Z",
    appliedBy: "ann@desk",
  };
  return {
    kind: "observed",
    config: { kind: "sim" },
    others: [],
    info: { kind: "sim", version: "1", platform: { os: "linux", architecture: "amd64" } },
    capabilities: {},
    engine: {
      pods: [],
      leftovers: [],
      images: held.map((image) => ({
        name: `${REFERENCE}@${HELD}`,
        digest: HELD,
        inUse: false,
        ...image,
      })),
    },
    records: new Map(applied === undefined ? [] : [["acme/shop/web", { kind: "record", record }]]),
    rosters: new Map(),
    volumes: new Map(),
    taken: [],
    missingPaths: new Set(),
  };
}

async function resolveOne(world: World) {
  const { reference = REFERENCE, images = { [REFERENCE]: { layout: "images" } }, lock } = world;
  const { registry } = world;
  const registries =
    registry === undefined
      ? undefined
      : {
          has: () => true,
          open: registry,
          origin: async () => undefined,
          isElsewhere: () => false,
          originElsewhere: async () => {
            throw new Error("nobody asks");
          },
        };
  await using store = new ImageStore({ images }, dir, { registries });
  const pods = { web: { containers: { main: { image: reference } } } };
  const observation = observationOf(world);
  const found = await resolveImages({ host: "alpha", pods, observation, store, lock });
  return { resolution: found.images.get(reference), warnings: found.warnings };
}

function lockOf(digest: string): FleetLock {
  return { version: FLEET_LOCK_VERSION, images: { [REFERENCE]: { "linux/amd64": { digest } } } };
}

describe("resolveImages()", () => {
  test("takes what is on disk, with its size and its config's digest", async () => {
    const { resolution } = await resolveOne({ held: [{}], applied: HELD });
    expect(resolution).toMatchObject({
      kind: "resolved",
      available: true,
      image: {
        reference: REFERENCE,
        digest: onDisk,
        configDigest: expect.stringMatching(/^sha256:/),
      },
      sizeBytes: expect.any(Number),
    });
  });

  test("the lock comes before all else, and needs nothing from disk where the engine has it", async () => {
    const images = { [REFERENCE]: { layout: "nowhere" } };
    const { resolution } = await resolveOne({ images, held: [{}], lock: lockOf(HELD) });
    expect(resolution).toMatchObject({ kind: "resolved", image: { digest: HELD } });
  });

  test("where lock and disk disagree both are said", async () => {
    const { resolution } = await resolveOne({ lock: lockOf(OTHER) });
    expect(resolution?.kind).toBe("unresolved");
    expect(resolution).toMatchObject({ reason: expect.stringContaining(OTHER) });
    expect(resolution).toMatchObject({ reason: expect.stringContaining(onDisk) });
  });

  test("a pinned image that the engine holds opens nothing", async () => {
    const reference = `${REFERENCE}@${HELD}`;
    const images = { [reference]: { layout: "nowhere" } };
    const { resolution } = await resolveOne({ reference, images, held: [{}] });
    expect(resolution).toMatchObject({ kind: "resolved", image: { reference, digest: HELD } });
  });

  test("a digest that the manifest pins and the disk does not have is refused", async () => {
    const images = { [REFERENCE]: { layout: "images", digest: OTHER } };
    const { resolution } = await resolveOne({ images, applied: HELD, held: [{}] });
    expect(resolution).toMatchObject({
      kind: "unresolved",
      reason: expect.stringContaining(OTHER),
    });
  });

  test("without a place on disk the engine's own image of that name counts", async () => {
    const { resolution } = await resolveOne({
      images: {},
      held: [{ name: REFERENCE, digest: OTHER }, {}],
    });
    expect(resolution).toMatchObject({
      kind: "resolved",
      image: { digest: OTHER },
      available: false,
    });
  });

  test("of several that Stowage brought, the one last applied counts; else none can be told", async () => {
    const held = [{}, { name: `${REFERENCE}@${OTHER}`, digest: OTHER }];
    const applied = await resolveOne({ images: {}, held, applied: OTHER });
    expect(applied.resolution).toMatchObject({ kind: "resolved", image: { digest: OTHER } });
    expect((await resolveOne({ images: {}, held })).resolution?.kind).toBe("unresolved");
  });

  test("a layout that is gone keeps what was applied, with a warning", async () => {
    const images = { [REFERENCE]: { layout: "nowhere" } };
    const { resolution, warnings } = await resolveOne({ images, held: [{}], applied: HELD });
    expect(resolution).toMatchObject({ kind: "resolved", image: { digest: HELD } });
    expect(warnings).toEqual([
      expect.stringContaining(`alpha: ${REFERENCE} stays at ${HELD}, as last applied`),
    ]);
  });

  test("an image that is nowhere comes with its remedy", async () => {
    const { resolution } = await resolveOne({ images: {} });
    expect(resolution).toMatchObject({
      kind: "unresolved",
      reason: expect.stringContaining(`add images["${REFERENCE}"] with a layout or an archive`),
    });
  });

  test("a short reference is found under its written form and its canonical one", async () => {
    await using store = new ImageStore({ images: {} }, dir);
    const pods = { web: { containers: { main: { image: "nginx" } } } };
    const observation = observationOf({ held: [{ name: "docker.io/library/nginx:latest" }] });
    const { images } = await resolveImages({ host: "alpha", pods, observation, store });
    expect([...images.keys()]).toEqual(["nginx", "docker.io/library/nginx:latest"]);
  });
});

describe("resolveImages() with a registry", () => {
  const fails = (code: ErrorCode) => async () => {
    throw new StowageError("Cannot read it: the registry says no", { code });
  };

  test("what is on disk is not asked for there", async () => {
    const { resolution } = await resolveOne({ registry: fails("internal") });
    expect(resolution).toMatchObject({ kind: "resolved", image: { digest: onDisk } });
  });

  test("a tag is asked for, before what the engine has under it", async () => {
    const asked: string[] = [];
    const { resolution } = await resolveOne({
      images: {},
      held: [{}],
      applied: HELD,
      registry: async ({ canonical }) => {
        asked.push(canonical);
        return await openImageSource({ layout: join(dir, "images") });
      },
    });
    expect(asked).toEqual([REFERENCE]);
    expect(resolution).toMatchObject({
      kind: "resolved",
      available: true,
      image: { digest: onDisk },
    });
  });

  test("what the lock names is asked for by its digest, the tag may have moved", async () => {
    const asked: string[] = [];
    const { resolution } = await resolveOne({
      images: {},
      lock: lockOf(onDisk),
      registry: async ({ canonical }) => {
        asked.push(canonical);
        return await openImageSource({ layout: join(dir, "images") });
      },
    });
    expect(asked).toEqual([`example.test/app@${onDisk}`]);
    expect(resolution).toMatchObject({ kind: "resolved", available: true });
  });

  test("a pinned image that the engine holds is not asked for", async () => {
    const reference = `${REFERENCE}@${HELD}`;
    const world = { reference, images: {}, held: [{}], registry: fails("internal") };
    const { resolution, warnings } = await resolveOne(world);
    expect(resolution).toMatchObject({ kind: "resolved", image: { digest: HELD } });
    expect(warnings).toEqual([]);
  });

  test.each<ErrorCode>(["unavailable", "not_found", "unauthenticated", "resource_exhausted"])(
    "one that answers %s leaves what was applied, or what the engine has, with a warning",
    async (code) => {
      const world = { images: {}, registry: fails(code) };
      const applied = await resolveOne({ ...world, held: [{}], applied: HELD });
      expect(applied.resolution).toMatchObject({ kind: "resolved", image: { digest: HELD } });
      expect(applied.warnings).toEqual([
        expect.stringMatching(/stays at sha256:a+, as last applied: .*the registry says no/),
      ]);
      const held = await resolveOne({ ...world, held: [{ name: REFERENCE, digest: OTHER }] });
      expect(held.resolution).toMatchObject({ kind: "resolved", image: { digest: OTHER } });
      expect(held.warnings).toEqual([expect.stringContaining("as the engine has it")]);
      const nowhere = await resolveOne(world);
      expect(nowhere.resolution).toMatchObject({
        kind: "unresolved",
        reason: expect.stringContaining("the registry says no"),
      });
    },
  );

  test.each<ErrorCode>(["invalid_argument", "failed_precondition"])(
    "one whose answer is wrong (%s) is an error",
    async (code) => {
      const world = { images: {}, held: [{}], applied: HELD, registry: fails(code) };
      expect((await resolveOne(world)).resolution?.kind).toBe("unresolved");
    },
  );
});

describe("fleet.lock.json", () => {
  const manifest = {
    version: "stowage/v1",
    name: "shop",
    id: "acme",
    images: { [REFERENCE]: { layout: "images" } },
    hosts: {
      alpha: {
        address: "local",
        engine: { kind: "sim" },
        pods: { web: { containers: { main: { image: REFERENCE } } } },
      },
    },
  } satisfies FleetManifest;

  test("holds what is on disk now, keeps entries of others, and reads back as it was written", async () => {
    const hosts = new Map([["alpha", observationOf({})]]);
    const existing: FleetLock = {
      version: FLEET_LOCK_VERSION,
      images: { "example.test/z:1": { "linux/arm64": { digest: OTHER } }, ...lockOf(OTHER).images },
    };
    const lock = await lockImages({ manifest, manifestDir: dir, hosts, existing });
    expect(lock.images[REFERENCE]?.["linux/amd64"]?.digest).toBe(onDisk);
    expect(lock.images["example.test/z:1"]).toEqual({ "linux/arm64": { digest: OTHER } });
    const path = join(dir, "fleet.lock.json");
    expect(await writeFleetLock(path, lock)).toBe(true);
    expect(await writeFleetLock(path, lock)).toBe(false);
    expect(await readFleetLock(path)).toEqual(lock);
    expect(readFileSync(path, "utf8").indexOf("app:1")).toBeLessThan(
      readFileSync(path, "utf8").indexOf("z:1"),
    );
  });

  test("is refused as a whole when a host's platform is not known", async () => {
    const hosts = new Map([["alpha", { kind: "unreachable" as const, reason: "no route" }]]);
    await expect(lockImages({ manifest, manifestDir: dir, hosts })).rejects.toThrow(
      "hosts.alpha: its platform is not known: no route",
    );
  });

  test("that is absent is none, and one that is wrong names its place", async () => {
    const path = join(dir, "fleet.lock.json");
    expect(await readFleetLock(path)).toBeUndefined();
    writeFileSync(
      path,
      JSON.stringify({ version: FLEET_LOCK_VERSION, images: { x: { y: { digest: 1 } } } }),
    );
    await expect(readFleetLock(path)).rejects.toThrow("images.x.y.digest");
    for (const damaged of ["{", "[]"]) {
      writeFileSync(path, damaged);
      await expect(readFleetLock(path)).rejects.toThrow("write it again with stowage images lock");
    }
  });

  test.each([
    [{ os: "linux", architecture: "x86_64" }, "linux/amd64"],
    [{ os: "linux", architecture: "arm64", variant: "v8" }, "linux/arm64"],
    [{ os: "linux", architecture: "arm", variant: "v6" }, "linux/arm/v6"],
  ])("knows a platform by one key: %j", (platform, key) => {
    expect(platformKey(platform)).toBe(key);
  });
});
