import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import type { BootPlaces } from "../../src/host/index.ts";
import { describeWithEngine, type ProvidedEngine } from "../set-up/describe-with-engine.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { NetworkMachine } from "../support/network-machine.ts";
import { reboot } from "../support/reboot.ts";

const built = mkdtempSync(join(tmpdir(), "stw-boot-cli-"));
const atPlaces = join(built, "cli-process.mjs");
let cli = "";
beforeAll(async () => {
  cli = await buildOwnCli(built);
  await build({
    entryPoints: [join(import.meta.dirname, "boot/cli-process.ts")],
    outfile: atPlaces,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  });
}, 120_000);
afterAll(() => rmSync(built, { recursive: true, force: true }));

/** A fleet of one host that runs systemd, whose network is a namespace of the test's. */
class BootFleet implements AsyncDisposable {
  readonly machine = new NetworkMachine();
  readonly folder = mkdtempSync(join(tmpdir(), "stw-boot-"));
  readonly units = join(this.folder, "systemd");
  readonly lab;

  constructor(kind: "containerd" | "podman" | "rkt", engine: ProvidedEngine) {
    const stateDir = join(this.folder, "state");
    this.lab = openLab(kind, engine, { folder: this.folder, stateDir });
    busyboxImage({ out: join(this.folder, "layout"), reference: "app:1", files: new Map() });
    mkdirSync(this.units);
  }

  declare(pods: object): void {
    const here = {
      address: "local",
      engine: this.lab.config,
      stateDir: join(this.folder, "state"),
      runDir: join(this.folder, "run"),
      pods,
    };
    const manifest = {
      version: "stowage/v1",
      name: "shop",
      id: "owner-1",
      images: { "app:1": { layout: "layout" } },
      networks: { front: {} },
      hosts: { here },
    };
    writeFileSync(join(this.folder, "fleet.json"), JSON.stringify(manifest));
  }

  /** Runs Stowage where the folder of units stands for systemd's. */
  run(...words: readonly string[]): { readonly status: number | null; readonly said: string } {
    const places: BootPlaces = {
      running: this.units,
      units: this.units,
      program: [process.execPath, cli],
    };
    const file = ["-f", join(this.folder, "fleet.json")];
    return this.spawn([process.execPath, atPlaces, JSON.stringify(places), ...words, ...file]);
  }

  spawn(command: readonly string[]): { readonly status: number | null; readonly said: string } {
    const { status, stdout, stderr } = this.machine.spawn([
      "env",
      "TOKEN=canary-token-value",
      ...command,
    ]);
    return { status, said: `${stdout}${stderr}` };
  }

  /** Runs the command lines of all units as systemd would. */
  boot(): { readonly status: number | null; readonly said: string } {
    const names = readdirSync(join(this.units, "multi-user.target.wants"));
    const lines = names.flatMap((name) =>
      readFileSync(join(this.units, name), "utf8").match(/^ExecStart=.*$/gm),
    );
    expect(lines).toHaveLength(1);
    const words = String(lines[0]).slice("ExecStart=".length).split(" ");
    return this.spawn([...words, "--patience", "60s"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.run("destroy", "--yes");
    await this.lab.close();
    this.machine.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const page = (text: string) =>
  `mkdir -p /tmp/www && echo ${text} >/tmp/www/index.html && exec httpd -f -p 8080 -h /tmp/www`;
const FRONT = { network: { mode: "bridge", name: "front" } };
const ALWAYS = { restart: { policy: "always" } };

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `a boot on ${kind}`, (engine) => {
    const main = (script: string, more: object = {}) => ({
      containers: {
        main: {
          image: "app:1",
          command: ["sh", "-c", script],
          stopSignal: "SIGKILL",
          ...(kind === "rkt" ? { security: { privileged: true } } : {}),
          ...more,
        },
      },
    });

    test("the unit brings networks and pods back, in order; what cannot start waits; all of it goes", async () => {
      await using fleet = new BootFleet(kind, engine);
      const { machine } = fleet;
      const store = { ...main(page("stored"), { health: { kind: "http", port: 8080 } }), ...FRONT };
      const web = {
        ...main(
          `until wget -q -O /tmp/got http://store:8080/; do sleep 0.1; done; ${page("$(cat /tmp/got)")}`,
        ),
        ...FRONT,
        ...ALWAYS,
        dependsOn: ["store"],
        ports: [{ host: 18080, container: 8080 }],
      };
      const secretive = {
        ...main("sleep 100000", { files: { "/run/token": { secret: { fromEnv: "TOKEN" } } } }),
        restart: { policy: "unless-stopped" },
      };
      const pods = {
        store: { ...store, ...ALWAYS },
        web,
        secretive,
        once: main("sleep 100000"),
      };
      fleet.declare(pods);
      expect(fleet.run("plan").said).toContain("by a systemd unit");
      const applied = fleet.run("apply", "--yes");
      expect(applied).toMatchObject({ status: 0 });
      expect(fleet.run("plan")).toMatchObject({ status: 0 });
      expect(await machine.page("http://127.0.0.1:18080/")).toBe("stored\n");

      await reboot(fleet.lab, fleet.folder, machine);
      expect(await machine.page("http://127.0.0.1:18080/")).toBeUndefined();
      const { status, said } = fleet.boot();
      expect(said).toMatch(/here\/store: started[\s\S]*here\/web: started/);
      expect(said).toMatch(/here\/secretive waits: its secret files were lost/);
      expect(said).toMatch(/here\/once is left as it is: its restart policy is no/);
      expect(status).toBe(0);
      expect(await answer(machine)).toBe("stored\n");
      const after = fleet.run("plan", "--json");
      const changed = (JSON.parse(after.said) as { plan: { pods: { pod: string }[] } }).plan.pods;
      expect(changed.map(({ pod }) => pod).sort()).toEqual(["once", "secretive"]);
      expect(fleet.run("apply", "--yes")).toMatchObject({ status: 0 });
      expect(fleet.run("plan")).toMatchObject({ status: 0 });

      // nobody wants to come back
      fleet.declare({ store });
      expect(fleet.run("apply", "--yes", "--allow-removals", "9")).toMatchObject({ status: 0 });
      expect(readdirSync(fleet.units)).toEqual(["multi-user.target.wants"]);
      expect(readdirSync(join(fleet.units, "multi-user.target.wants"))).toEqual([]);
    }, 180_000);
  });
}

/** What a pod that has just been started answers. */
async function answer(machine: NetworkMachine): Promise<string | undefined> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const text = await machine.page("http://127.0.0.1:18080/");
    if (text !== undefined || Date.now() > deadline) return text;
  }
}
