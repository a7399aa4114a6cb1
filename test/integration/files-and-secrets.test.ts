import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { FleetManifest } from "../../src/model/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { mountsNaming } from "../support/engines/look-around.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";

// secrets get memory of their own where their host's folder is on disk: /tmp may not be
process.env["TMPDIR"] = "/var/tmp";

const CONF = "/etc/app.conf";
const TOKEN = "/run/secrets/token";
const RUN = { image: "app:1", command: ["sleep", "100000"], stopSignal: "SIGKILL" };
const VALUE = "t0ken of the test\n";

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `files and secrets on ${kind}`, (engine) => {
    const open = () => {
      const fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
      fleet.image("app:1");
      fleet.environment = { ...process.env, TOKEN: VALUE };
      return fleet;
    };
    const declare = (fleet: RealFleet, content: string): FleetManifest => {
      const files = {
        [CONF]: { content, mode: "0640", gid: 7 },
        [TOKEN]: { secret: { fromEnv: "TOKEN" } },
        "/etc/key": { base64: "AP8B" },
      };
      const one = { ...RUN, user: "1000:1001", files };
      return fleet.manifest({ web: { containers: { one, two: RUN } } });
    };

    test("files are what was declared, drift is seen and mended, secrets lie in memory and a reboot takes them away", async () => {
      await using fleet = open();
      const manifest = declare(fleet, "colour=green\n");
      // an engine makes things with its first use
      await expectApplied(fleet, fleet.manifest({ web: { containers: { one: RUN, two: RUN } } }));
      await expectApplied(fleet, fleet.manifest({}));
      const before = await fleet.traces();
      await expectApplied(fleet, manifest);
      await expectSeen(fleet, manifest, "colour=green\n");
      const { plain } = placesOf(fleet);
      expect(mountsNaming(`${fleet.host.runDir}/stw-`)).toEqual([
        join(fleet.host.runDir, "stw-secrets"),
      ]);
      expect(statSync(join(fleet.host.runDir, "stw-secrets")).mode & 0o777).toBe(0o700);

      // behind Stowage's back: a content, an owner, and what a reboot does to a process and a tmpfs
      writeFileSync(plainFile(plain), "colour=red\n");
      await expectDrift(fleet, manifest, /files\["\/etc\/app\.conf"\]\.content/);
      await expectSeen(fleet, manifest, "colour=green\n");
      execFileSync("chown", ["0", placesOf(fleet).secrets]);
      await expectDrift(fleet, manifest, /files\["\/run\/secrets\/token"\]\.uid/);
      rmSync(placesOf(fleet).secrets);
      const pid = await fleet.pidOf(manifest, "web", "one");
      process.kill(pid, "SIGKILL");
      await expectDrift(fleet, manifest, /as after a reboot/);
      await expectSeen(fleet, manifest, "colour=green\n");

      const changed = declare(fleet, "colour=blue\n");
      await expectApplied(fleet, changed);
      await expectSeen(fleet, changed, "colour=blue\n");
      await expectApplied(fleet, fleet.manifest({}));
      expect(comparable(await fleet.traces())).toEqual(comparable(before));
    });

    test("a pod does not start while its secret is missing, and is gone on with when it is there", async () => {
      await using fleet = open();
      const manifest = declare(fleet, "a=1\n");
      await expectApplied(fleet, manifest);
      const pids = [];
      for (const name of ["one", "two"]) pids.push(await fleet.pidOf(manifest, "web", name));
      for (const pid of pids) process.kill(pid, "SIGKILL");
      const home = join(fleet.host.runDir, "stw-secrets");
      await until(() => spawnSync("umount", [home]).status === 0);
      fleet.environment = process.env;
      const plan = await fleet.plan(manifest);
      expect(plan.pods[0]?.reasons.map(({ text }) => text)).toContainEqual(
        expect.stringContaining("without it the pod does not start"),
      );
      await expect(fleet.apply(manifest)).rejects.toThrow("environment variable TOKEN is not set");
      fleet.environment = { ...process.env, TOKEN: VALUE };
      await expectApplied(fleet, manifest);
      await expectSeen(fleet, manifest, "a=1\n");
    });
  });
}

/** What the process itself sees at the paths: content, mode, owner, and that it cannot write. */
async function expectSeen(fleet: RealFleet, manifest: FleetManifest, content: string) {
  const root = `/proc/${await fleet.pidOf(manifest, "web", "one")}/root`;
  expect(readFileSync(`${root}${CONF}`, "utf8")).toBe(content);
  expect(readFileSync(`${root}/etc/key`)).toEqual(Buffer.from([0, 255, 1]));
  expect(readFileSync(`${root}${TOKEN}`, "utf8")).toBe(VALUE);
  const seen = [CONF, "/etc/key", TOKEN].map((path) => {
    const { mode, uid, gid } = statSync(`${root}${path}`);
    return [path, (mode & 0o7777).toString(8), uid, gid];
  });
  expect(seen).toEqual([
    [CONF, "640", 1000, 7],
    ["/etc/key", "444", 1000, 1001],
    [TOKEN, "400", 1000, 1001],
  ]);
  for (const path of [CONF, TOKEN]) {
    expect(() => writeFileSync(`${root}${path}`, "x")).toThrow(/EROFS/);
  }
}

function placesOf(fleet: RealFleet) {
  const below = (folder: string): readonly string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  const { stateDir, runDir } = fleet.host;
  const [secrets = ""] = below(join(runDir, "stw-secrets"));
  return { secrets, plain: below(join(stateDir, "owner-1/shop/.files")) };
}

function plainFile(paths: readonly string[]): string {
  const found = paths.find((path) => readFileSync(path, "utf8").startsWith("colour"));
  if (found === undefined) throw new Error("there is no such file");
  return found;
}

async function expectDrift(fleet: RealFleet, manifest: FleetManifest, said: RegExp) {
  const { pods } = await fleet.plan(manifest);
  expect(
    pods.flatMap(({ reasons }) => reasons.map((each) => JSON.stringify(each).replaceAll("\\", ""))),
  ).toContainEqual(expect.stringMatching(said));
  await expectApplied(fleet, manifest);
}

async function expectApplied(fleet: RealFleet, manifest: FleetManifest) {
  const report = await fleet.apply(manifest);
  expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
  const { pods, hostChanges } = await fleet.plan(manifest);
  expect({ pods, hostChanges }).toEqual({ pods: [], hostChanges: [] });
}

/** Without the image's trees, which rkt's own collector takes away. */
function comparable({ trees: _, ...others }: Readonly<Record<string, readonly string[]>>) {
  return others;
}

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done(); tries += 1) {
    if (tries === 200) throw new Error("it did not happen within 10 s");
    await delay(50);
  }
}
