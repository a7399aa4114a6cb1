import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { podOf, SimFleet } from "../../../test/support/sim-fleet.ts";
import type { ContainerSpec, FleetManifest } from "../../model/index.ts";
import { isConverged } from "../../plan/index.ts";
import { SecretValues } from "../secrets/secret-values.ts";

const CONF = "/etc/app.conf";
const TOKEN = "/run/secrets/token";
const VALUE = "s3cr3t-value\n";

function openFleet(): SimFleet {
  const fleet = new SimFleet();
  onTestFinished(() => fleet[Symbol.dispose]());
  return fleet;
}

const declare = (fleet: SimFleet, files: NonNullable<ContainerSpec["files"]>, more: object = {}) =>
  fleet.manifest({ alpha: { web: podOf({ files, ...more }) } });

/** Files of pods on the machine: their path without hashes, and how they are. */
function filesOn(fleet: SimFleet) {
  return fleet.machine().read((state) =>
    Object.entries(state.files)
      .filter(([path]) => /\/\.files\/|\/stw-secrets\//.test(path))
      .map(([path, file]) => ({ path: path.replaceAll(/-[a-z2-7]{26}/g, ""), ...file })),
  );
}

const pathsOn = (fleet: SimFleet) => filesOn(fleet).map(({ path }) => path);

/** Where a pod's files really lie. */
function placesOn(fleet: SimFleet): readonly string[] {
  return fleet
    .machine()
    .read((state) =>
      [...Object.keys(state.files), ...Object.keys(state.directories)].filter((path) =>
        /\/\.files|\/stw-secrets/.test(path),
      ),
    );
}

async function reasonsOf(fleet: SimFleet, manifest: FleetManifest, environment = {}) {
  const { plan } = await fleet.plan(manifest, { environment });
  return plan.pods.flatMap(({ action, reasons }) =>
    reasons.map(({ path, before, after, text }) => ({ action, path, before, after, text })),
  );
}

async function expectConverged(fleet: SimFleet, manifest: FleetManifest, environment = {}) {
  const { plan } = await fleet.plan(manifest, { environment });
  expect({ pods: plan.pods, hostChanges: plan.hostChanges }).toEqual({ pods: [], hostChanges: [] });
}

describe("files of a pod", () => {
  const files = { [CONF]: { content: "colour=green\n", uid: 5, mode: "0640" } };

  test("are written with owner and mode, seen at their path, and gone with the pod", async () => {
    const fleet = openFleet();
    const binary = { base64: Buffer.from([0, 255, 1]).toString("base64") };
    const manifest = declare(
      fleet,
      { ...files, "/etc/key": binary },
      { command: ["sh", "-c", `cat ${CONF}; echo x > ${CONF}; exit 1`] },
    );
    await fleet.apply(manifest);
    expect(filesOn(fleet)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ text: "colour=green\n", uid: 5, mode: 0o640 }),
        expect.objectContaining({ base64: binary.base64, mode: 0o444 }),
      ]),
    );
    const logs = fleet.events.flatMap((event) =>
      event.type === "change-done" ? (event.outcome.logs ?? []) : [],
    );
    expect(logs.map(({ text }) => text)).toEqual([
      "colour=green",
      expect.stringMatching(/read-only/i),
    ]);
    await fleet.apply(fleet.manifest({ alpha: {} }));
    expect(placesOn(fleet)).toEqual([]);
  });

  test("a changed content is a new generation, told by its size and digest alone", async () => {
    const fleet = openFleet();
    await fleet.apply(declare(fleet, files));
    const changed = declare(fleet, { [CONF]: { ...files[CONF], content: "x".repeat(5000) } });
    expect(await reasonsOf(fleet, changed)).toEqual([
      {
        action: "replace",
        path: `containers.main.files["${CONF}"].content`,
        before: expect.stringMatching(/^13 bytes \(sha256:[0-9a-f]{12}\)$/),
        after: expect.stringMatching(/^5000 bytes \(sha256:[0-9a-f]{12}\)$/),
        text: undefined,
      },
    ]);
    await fleet.apply(changed);
    expect(pathsOn(fleet)).toEqual(["/var/lib/stowage/acme/shop/.files/stw-web-2.alpha/main"]);
    await expectConverged(fleet, changed);
  });

  test.each([
    ["content", { text: "colour=red\n" }, /^11 bytes/, /^13 bytes/],
    ["mode", { mode: 0o666 }, /^0666$/, /^0640$/],
    ["uid", { uid: 9 }, 9, 5],
    ["gid", { gid: 9 }, 9, 0],
  ])("a %s that somebody changed is drift, and mended", async (field, change, before, after) => {
    const fleet = openFleet();
    const manifest = declare(fleet, files);
    await fleet.apply(manifest);
    const path = placesOn(fleet).find((each) => /\/main-[a-z2-7]{26}$/.test(each)) as string;
    await fleet.machine().setFile(path, { ...fileAt(fleet, path), ...change });
    const shape = (value: RegExp | number) =>
      typeof value === "number" ? value : expect.stringMatching(value);
    expect(await reasonsOf(fleet, manifest)).toMatchObject([
      {
        action: "restart",
        path: `containers.main.files["${CONF}"].${field}`,
        before: shape(before),
        after: shape(after),
      },
    ]);
    const report = await fleet.apply(manifest);
    expect(report.status).toBe("done");
    expect(fleet.steps().filter((step) => /stop|write-files|start/.test(step))).toEqual([
      "alpha/web start",
      "alpha/web stop",
      "alpha/web write-files",
      "alpha/web start",
    ]);
    await expectConverged(fleet, manifest);
  });

  test("one that is gone is drift, also without a record to compare with", async () => {
    const fleet = openFleet();
    const manifest = declare(fleet, files);
    await fleet.apply(manifest);
    await fleet.machine().setFile("/var/lib/stowage/acme/shop/web.json", undefined);
    const path = placesOn(fleet).find((each) => /\/main-[a-z2-7]{26}$/.test(each)) as string;
    await fleet.machine().setFile(path, undefined);
    expect(await reasonsOf(fleet, manifest)).toContainEqual(
      expect.objectContaining({ text: "the file is gone from the host" }),
    );
    await fleet.apply(manifest);
    await expectConverged(fleet, manifest);
  });

  test("what a killed apply left of a pod that is not there is removed", async () => {
    const fleet = openFleet();
    const manifest = declare(fleet, files);
    const stray = "/var/lib/stowage/acme/shop/.files/stw-web-9-aaaaaaaaaaaaaaaaaaaaaaaaaa.alpha/x";
    await fleet.apply(manifest);
    const before = placesOn(fleet);
    await fleet.machine().setFile(stray, { text: "left" });
    // another host of the fleet may be the same machine
    await fleet.machine().setFile(stray.replace(".alpha/", ".beta/"), { text: "of beta" });
    const { plan } = await fleet.plan(manifest);
    expect(plan.hostChanges).toMatchObject([
      { action: "clean", steps: [{ kind: "remove-files" }] },
    ]);
    await fleet.apply(manifest);
    expect(placesOn(fleet).filter((path) => !path.includes(".beta"))).toEqual(before);
    expect(placesOn(fleet).some((path) => path.includes(".beta/"))).toBe(true);
    await expectConverged(fleet, manifest);
  });

  test("go on under the fleet's new name, and with another engine of the host", async () => {
    const fleet = openFleet();
    const environment = { TOKEN: VALUE };
    const secret = { [TOKEN]: { secret: { fromEnv: "TOKEN" } } };
    const manifest = declare(fleet, { ...files, ...secret });
    await fleet.apply(manifest, { environment });
    const renamed = { ...manifest, name: "store", formerly: "shop" };
    await fleet.apply(renamed, { environment });
    await expectConverged(fleet, renamed, environment);
    expect(pathsOn(fleet).sort()).toEqual([
      "/run/stowage/stw-secrets/acme.store/stw-web-2.alpha/main",
      "/var/lib/stowage/acme/store/.files/stw-web-2.alpha/main",
    ]);
    const [name, spec] = Object.entries(renamed.hosts)[0] as [string, FleetManifest["hosts"][""]];
    const moved = {
      ...renamed,
      hosts: { [name]: { ...spec, engine: { kind: "sim", store: "second" } as const } },
    };
    const report = await fleet.apply(moved, { environment });
    expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
    await expectConverged(fleet, moved, environment);
    expect(pathsOn(fleet).every((path) => path.includes("stw-web-3"))).toBe(true);
  });
});

describe("secrets in files", () => {
  const files = { [TOKEN]: { secret: { fromEnv: "TOKEN" } } };
  const environment = { TOKEN: VALUE };

  test("lie in memory, readable by their owner alone, and are named nowhere else", async () => {
    const fleet = openFleet();
    const manifest = declare(fleet, files, { user: "1000:1001" });
    const report = await fleet.apply(manifest, { environment });
    expect(filesOn(fleet)).toEqual([
      {
        path: "/run/stowage/stw-secrets/acme.shop/stw-web-1.alpha/main",
        text: VALUE,
        mode: 0o400,
        uid: 1000,
        gid: 1001,
      },
    ]);
    const { plan } = await fleet.plan(manifest, { environment: { TOKEN: "other" } });
    const everywhere = JSON.stringify([
      report,
      fleet.events,
      plan,
      fleet.machine().read(({ files: _, ...state }) => state),
    ]);
    expect(everywhere).not.toContain(VALUE.trim());
    expect(everywhere).not.toContain(hashOf(VALUE));
  });

  test("are compared with what was applied, and say why when they cannot be", async () => {
    const fleet = openFleet();
    const manifest = declare(fleet, files);
    await fleet.apply(manifest, { environment });
    await expectConverged(fleet, manifest, environment);
    const { plan } = await fleet.plan(manifest);
    expect(isConverged(plan)).toBe(true);
    const unknown = `containers.main.files["${TOKEN}"] not compared: TOKEN is not set here`;
    expect(plan.warnings).toEqual([`alpha/web: ${unknown}`]);
    expect(await reasonsOf(fleet, manifest, { TOKEN: "other" })).toMatchObject([
      { action: "replace", path: `containers.main.files["${TOKEN}"]`, before: undefined },
    ]);
    await fleet.machine().kill(podIdentity(fleet), "main");
    const started = await fleet.plan(manifest);
    expect(started.plan.pods[0]?.notes).toContain(unknown);
    expect(started.plan.warnings).toEqual([]);
  });

  test("that a reboot took away keep the pod from starting, until an apply writes them anew", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({
      alpha: { web: podOf({ files }, { restart: { policy: "always" } }) },
    });
    await fleet.apply(manifest, { environment });
    await fleet.machine().reboot();
    await fleet.machine().advance(5000);
    expect(
      fleet.machine().read((state) => Object.values(state.pods)[0]?.containers["main"]),
    ).toMatchObject({ state: "exited" });
    expect(await reasonsOf(fleet, manifest, environment)).toContainEqual(
      expect.objectContaining({ text: expect.stringContaining("as after a reboot") }),
    );
    await expect(fleet.apply(manifest)).rejects.toThrow("environment variable TOKEN is not set");
    await fleet.apply(manifest, { environment });
    await expectConverged(fleet, manifest, environment);
    expect(filesOn(fleet)).toMatchObject([{ text: VALUE }]);
  });

  test("a content that somebody changed is drift, and nothing of it is told", async () => {
    const fleet = openFleet();
    const manifest = declare(fleet, files);
    await fleet.apply(manifest, { environment });
    const path = placesOn(fleet).find((each) => /\/main-[a-z2-7]{26}$/.test(each)) as string;
    await fleet.machine().setFile(path, { ...fileAt(fleet, path), text: "0ther" });
    const { plan } = await fleet.plan(manifest, { environment });
    expect(plan.pods[0]?.reasons).toMatchObject([
      { kind: "drift", secret: true, text: "its content differs from the secret that was applied" },
    ]);
    expect(JSON.stringify(plan)).not.toContain("0ther");
    await fleet.apply(manifest, { environment });
    await expectConverged(fleet, manifest, environment);
  });

  test("a saved plan does not write another value than it was made with", async () => {
    const fleet = openFleet();
    const manifest = declare(fleet, files);
    await fleet.apply(manifest, { environment });
    await fleet.machine().reboot();
    const { plan } = await fleet.plan(manifest, { environment, options: { fingerprints: true } });
    const report = await fleet.apply(manifest, {
      savedPlan: plan,
      environment: { TOKEN: "0ther-value" },
    });
    expect(report.outcomes[0]?.reason).toContain("changed since the plan was made");
    expect(JSON.stringify(report)).not.toContain("0ther-value");
  });
});

describe("where secrets come from", () => {
  test("nothing that the manifest does not declare is read or run, whatever a plan or a record says", async () => {
    const fleet = openFleet();
    const made = join(fleet.dir, "made");
    const manifest = declare(fleet, { [TOKEN]: { secret: { fromCommand: ["echo", "mine"] } } });
    const secrets = new SecretValues({ manifest, manifestDir: fleet.dir, environment: {} });
    const foreign = { fromCommand: ["touch", made] };
    const spec = podOf({ files: { [TOKEN]: { secret: foreign } } });
    await secrets.load([spec, ...Object.values(manifest.hosts["alpha"]?.pods ?? {})]);
    expect(existsSync(made)).toBe(false);
    expect(secrets.valueOf(foreign)).toBeUndefined();
    expect(secrets.valueOf({ fromCommand: ["echo", "mine"] })?.toString()).toBe("mine\n");
  });

  test("a program gives bytes, which need be no text in a file, and no more than a file may have", async () => {
    const fleet = openFleet();
    const bytes = { fromCommand: ["printf", "a\\0\\377\\200b"] };
    const endless = { fromCommand: ["yes"] };
    const manifest = declare(fleet, { [TOKEN]: { secret: bytes }, "/b": { secret: endless } });
    const secrets = new SecretValues({
      manifest,
      manifestDir: fleet.dir,
      environment: process.env,
    });
    await secrets.load(Object.values(manifest.hosts["alpha"]?.pods ?? {}));
    expect(secrets.valueOf(bytes)?.toString("hex")).toBe("6100ff8062");
    expect(secrets.problemOf(endless)).toBe("command yes printed more than 1048576 bytes");
  });

  test("bytes that are no text are refused for a variable", async () => {
    const fleet = openFleet();
    const secret = { fromCommand: ["printf", "a\\377b"] };
    const manifest = declare(fleet, {}, { env: { A: { secret } } });
    await expect(fleet.apply(manifest)).rejects.toThrow(
      /command printf holds bytes that are no UTF-8 text, which no variable can/,
    );
  });

  test("a file and a program give them; a variable is without the last line end", async () => {
    const fleet = openFleet();
    const program = join(fleet.dir, "bin/give");
    mkdirSync(join(fleet.dir, "bin"));
    writeFileSync(program, '#!/bin/sh\nprintf "from %s\\n" "$1"\n');
    chmodSync(program, 0o755);
    writeFileSync(join(fleet.dir, "token"), "from a file\n");
    const manifest = declare(
      fleet,
      {
        "/run/a": { secret: { fromFile: "token" } },
        "/run/b": { secret: { fromCommand: ["./bin/give", "$HOME; x"] } },
      },
      {
        env: {
          A: { secret: { fromFile: "token" } },
          B: { secret: { fromCommand: [program, "b"] } },
        },
      },
    );
    await fleet.apply(manifest);
    expect(
      filesOn(fleet)
        .map(({ text }) => text)
        .sort(),
    ).toEqual(["from $HOME; x\n", "from a file\n"]);
    const environment = fleet
      .machine()
      .read((state) => Object.values(state.pods)[0]?.containers["main"]?.environment);
    expect(environment).toMatchObject({ A: "from a file", B: "from b" });
    await expectConverged(fleet, manifest);
  });

  test.each([
    [{ fromFile: "nowhere" }, /file nowhere is not here/],
    [
      { fromCommand: ["sh", "-c", "echo t0ps3cret; echo t0ps3cret >&2; exit 3"] },
      /command sh failed here with exit code 3/,
    ],
    [{ fromCommand: ["true"] }, /command true printed nothing/],
    [
      { fromCommand: ["no-such-program", "t0ps3cret"] },
      /command no-such-program is not installed here/,
    ],
  ])("%j that gives nothing stops an apply, which says no more than why", async (secret, why) => {
    const fleet = openFleet();
    const manifest = declare(fleet, { [TOKEN]: { secret } });
    const error = await fleet.apply(manifest).then(
      () => undefined,
      (failure: Error) => failure,
    );
    expect(error?.message).toMatch(why);
    expect(error?.message).toContain(`containers.main.files["${TOKEN}"]`);
    expect(JSON.stringify([error, error?.message])).not.toContain("t0ps3cret");
    expect(placesOn(fleet)).toEqual([]);
  });
});

function fileAt(fleet: SimFleet, path: string) {
  const found = fleet.machine().read((state) => state.files[path]);
  if (found === undefined) throw new Error(`there is no ${path}`);
  return found;
}

function podIdentity(fleet: SimFleet) {
  const [pod] = fleet.machine().read((state) => Object.values(state.pods));
  if (pod === undefined) throw new Error("there is no pod");
  return pod.identity;
}

function hashOf(text: string): string {
  return Buffer.from(text).toString("base64");
}
