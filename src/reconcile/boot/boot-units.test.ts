import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { podOf, SimFleet } from "../../../test/support/sim-fleet.ts";
import { findOnPath } from "../../internal/index.ts";
import { type BootUnit, bootUnitName, bootUnitText, readBootUnit } from "../../model/index.ts";

const UNITS = "/etc/systemd/system";
const ALWAYS = { restart: { policy: "always" } } as const;

/** A fleet on one host that runs systemd. */
async function fleetWithSystemd(): Promise<SimFleet> {
  const fleet = new SimFleet();
  await fleet.machine().write((state) => {
    state.directories["/run/systemd/system"] = { mode: 0o755, uid: 0, gid: 0 };
  });
  return fleet;
}

async function unitsOf(fleet: SimFleet): Promise<readonly string[]> {
  return await fleet
    .machine()
    .read((state) =>
      [...Object.keys(state.files), ...Object.keys(state.links)].filter((path) =>
        path.startsWith(UNITS),
      ),
    );
}

async function unitName(fleet: SimFleet): Promise<string> {
  return (await unitsOf(fleet)).find((path) => !path.includes(".wants/")) ?? "";
}

async function texts(fleet: SimFleet, manifest: Parameters<SimFleet["plan"]>[0]) {
  const { plan } = await fleet.plan(manifest);
  return plan.hostChanges.map(({ text }) => text);
}

test("a unit comes with the first pod that is to come back, in the plan as well, and goes with the last", async () => {
  using fleet = await fleetWithSystemd();
  const once = fleet.manifest({ alpha: { web: podOf() } });
  const always = fleet.manifest({ alpha: { web: podOf({}, ALWAYS) } });
  await fleet.apply(once);
  expect(await unitsOf(fleet)).toEqual([]);
  expect(await texts(fleet, always)).toContain("its pods start at boot, by a systemd unit");
  expect((await fleet.apply(always)).status).toBe("done");
  expect(await unitsOf(fleet)).toHaveLength(2);
  expect((await fleet.apply(always)).status).toBe("converged");
  expect((await fleet.apply(once)).status).toBe("done");
  expect(await unitsOf(fleet)).toEqual([]);
});

test("destroy takes the unit away", async () => {
  using fleet = await fleetWithSystemd();
  const manifest = fleet.manifest({ alpha: { web: podOf({}, ALWAYS) } });
  await fleet.apply(manifest);
  await fleet.apply(manifest, { options: { destroy: true } });
  expect(await unitsOf(fleet)).toEqual([]);
});

test("a host without systemd gets none", async () => {
  using fleet = new SimFleet();
  await fleet.apply(fleet.manifest({ alpha: { web: podOf({}, ALWAYS) } }));
  expect(await unitsOf(fleet)).toEqual([]);
});

test("a renamed fleet has the unit of its new name alone", async () => {
  using fleet = await fleetWithSystemd();
  const pods = { alpha: { web: podOf({}, ALWAYS) } };
  await fleet.apply(fleet.manifest(pods));
  const before = await unitName(fleet);
  const renamed = fleet.manifest(pods, { name: "store", formerly: "shop" });
  expect((await fleet.apply(renamed)).status).toBe("done");
  expect(await unitsOf(fleet)).toHaveLength(2);
  expect(await unitName(fleet)).not.toBe(before);
});

test.each([
  [
    "changed",
    "was changed behind Stowage's back",
    (text: string) => text.replace("KillMode=process", "KillMode=mixed"),
  ],
  [
    "with a program that is gone",
    "names a program that no longer exists",
    (text: string) => text.replaceAll("/usr/bin/stowage", "/opt/old/stowage"),
  ],
])("a unit that is %s is drift, and mended", async (_, told, change) => {
  using fleet = await fleetWithSystemd();
  const manifest = fleet.manifest({ alpha: { web: podOf({}, ALWAYS) } });
  await fleet.apply(manifest);
  const name = await unitName(fleet);
  await fleet.machine().write((state) => {
    const file = state.files[name];
    if (file !== undefined) state.files[name] = { ...file, text: change(file.text) };
  });
  expect((await texts(fleet, manifest)).join()).toContain(told);
  expect((await fleet.apply(manifest)).status).toBe("done");
  expect((await fleet.apply(manifest)).status).toBe("converged");
});

test("a unit that names another Stowage which is there is left as it is", async () => {
  using fleet = await fleetWithSystemd();
  const manifest = fleet.manifest({ alpha: { web: podOf({}, ALWAYS) } });
  await fleet.apply(manifest);
  const name = await unitName(fleet);
  await fleet.machine().write((state) => {
    state.files["/opt/stowage"] = { text: "", mode: 0o755 };
    const file = state.files[name];
    const text = file?.text.replaceAll("/usr/bin/stowage", "/opt/stowage") ?? "";
    state.files[name] = { mode: 0o644, text };
  });
  expect(await texts(fleet, manifest)).toEqual([]);
});

test("a unit that was disabled is enabled again", async () => {
  using fleet = await fleetWithSystemd();
  const manifest = fleet.manifest({ alpha: { web: podOf({}, ALWAYS) } });
  await fleet.apply(manifest);
  await fleet.machine().write((state) => {
    for (const path of Object.keys(state.links)) delete state.links[path];
  });
  expect((await texts(fleet, manifest)).join()).toContain("was disabled behind Stowage's back");
  await fleet.apply(manifest);
  expect(await unitsOf(fleet)).toHaveLength(2);
});

const UNIT: BootUnit = {
  owner: "owner-1",
  fleet: "shop",
  host: "here",
  stateDir: "/srv/a b/50%$x",
  runDir: "/run/stowage",
  program: ["/usr/bin/node", "/opt/stowage/main.cjs"],
};

test("a unit says whose it is, and of nothing else that is read", () => {
  expect(readBootUnit(bootUnitText(UNIT))).toEqual(UNIT);
  expect(readBootUnit("[Unit]\n")).toBeUndefined();
  expect(readBootUnit(bootUnitText(UNIT).replace('"shop"', '"../shop"'))).toBeUndefined();
});

const verifier = process.env["STOWAGE_SYSTEMD_ANALYZE"] ?? findOnPath("systemd-analyze");

test.skipIf(verifier === undefined)(
  "systemd-analyze finds nothing wrong with a unit (skipped where there is none)",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "stw-unit-"));
    try {
      const name = bootUnitName(UNIT);
      const verify = (text: string) => {
        writeFileSync(join(folder, name), text);
        const { stdout, stderr } = spawnSync(verifier ?? "", ["verify", join(folder, name)], {
          encoding: "utf8",
        });
        return `${stdout}${stderr}`.split("\n").filter((line) => line.includes(name));
      };
      const text = bootUnitText({ ...UNIT, program: [process.execPath, "/opt/main.cjs"] });
      expect(verify(text)).toEqual([]);
      expect(verify(text.replace("KillMode=process", "KillMode=sometimes"))).not.toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
