import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { imagesOnly, isConverged, type Plan } from "../../src/plan/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { registryProgram, whyNoRegistry } from "../set-up/registry-program.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";
import { pushImage } from "../support/registry/push-image.ts";
import { type RealRegistry, startRegistry } from "../support/registry/real-registry.ts";

const PASSWORD = "canary-4711";
const BASIC = `Basic ${Buffer.from(`ann:${PASSWORD}`).toString("base64")}`;
const USER = {
  name: "ann",
  passwordHash: "$2y$05$abcdefghijklmnopqrstuuh0/67O30YDyKxPe3PcrqBG/P7iN.lja",
};
const skipped = whyNoRegistry();

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `images from a registry, on ${kind}`, (engine) => {
    test.skipIf(skipped !== undefined)(
      `one is pulled, updated when its tag moves, and kept when the registry is away${skipped === undefined ? "" : ` (skipped: ${skipped})`}`,
      async () => {
        await using registry = await startRegistry(registryProgram ?? "docker-registry", USER);
        await using fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
        logIn(fleet.folder, registry.domain);
        const push = pusher(fleet.folder, registry);
        const first = await push("one");
        const reference = `${registry.domain}/team/app:1`;
        const pods = (image: string) => ({
          web: { containers: { main: { image, command, stopSignal: "SIGKILL" } } },
        });
        const manifest = fleet.manifest(pods(reference));

        const plan = await fleet.plan(manifest);
        expect(importsOf(plan)).toEqual([expect.stringContaining(first)]);
        expect((await fleet.apply(manifest, { narrow: imagesOnly })).status).toBe("done");
        const pulled = await fleet.plan(manifest);
        expect(importsOf(pulled)).toEqual([]);
        expect(pulled.pods.map(({ action }) => action)).toEqual(["create"]);
        expect((await fleet.apply(manifest)).status).toBe("done");
        expect(isConverged(await fleet.plan(manifest))).toBe(true);

        const second = await push("two");
        const moved = await fleet.plan(manifest);
        expect(moved.pods.map(({ action }) => action)).toEqual(["replace"]);
        expect(importsOf(moved)).toEqual([expect.stringContaining(second)]);
        expect((await fleet.apply(manifest)).status).toBe("done");

        await registry.stop();
        const alone = await fleet.plan(manifest);
        expect(isConverged(alone)).toBe(true);
        expect(alone.warnings).toEqual([
          expect.stringMatching(
            /^here: .*team\/app:1 stays at sha256:.*, as last applied: .*cannot be reached/,
          ),
        ]);
        const pinned = await fleet.plan(fleet.manifest(pods(`${reference}@${second}`)));
        expect(pinned.warnings).toEqual([]);
        expect(JSON.stringify([plan, moved, alone])).not.toContain(PASSWORD);
        expect(filesWith(join(fleet.folder, "state"), PASSWORD)).toEqual([]);
      },
      120_000,
    );
  });
}

const command = ["sleep", "100000"];

function logIn(home: string, domain: string): void {
  mkdirSync(join(home, ".docker"));
  const auths = { [domain]: { auth: BASIC.slice("Basic ".length) } };
  writeFileSync(join(home, ".docker/config.json"), JSON.stringify({ auths }));
}

/** Pushes images under one tag. @returns the digest of each */
function pusher(folder: string, { domain }: RealRegistry) {
  return async (name: string): Promise<string> => {
    const layout = join(folder, `pushed-${name}`);
    const files = new Map([["/name", { content: name }]]);
    busyboxImage({ out: layout, reference: "localhost/app:1", files });
    return await pushImage({
      layout,
      repository: `http://${domain}/v2/team/app`,
      tag: "1",
      headers: { authorization: BASIC },
    });
  };
}

function importsOf({ hostChanges }: Plan): readonly string[] {
  const steps = hostChanges.flatMap((change) => change.steps);
  return steps.filter(({ kind }) => kind === "import-image").map((step) => JSON.stringify(step));
}

function filesWith(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    const path = join(folder, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });
}
