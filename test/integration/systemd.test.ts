import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { describeWithEngine, type ProvidedEngine } from "../set-up/describe-with-engine.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { SystemdMachine, whyNoSystemd } from "../support/systemd-machine.ts";

const built = mkdtempSync(join(tmpdir(), "stw-systemd-cli-"));
let cli = "";
beforeAll(async () => {
  cli = await buildOwnCli(built);
}, 120_000);
afterAll(() => rmSync(built, { recursive: true, force: true }));

/** A fleet of one host, whose first process is systemd. */
class SystemdFleet implements AsyncDisposable {
  readonly machine: SystemdMachine;
  readonly folder = mkdtempSync(join(tmpdir(), "stw-systemd-fleet-"));
  readonly #lab;

  private constructor(machine: SystemdMachine, kind: "podman" | "rkt", engine: ProvidedEngine) {
    this.machine = machine;
    const stateDir = join(this.folder, "state");
    this.#lab = openLab(kind, engine, { folder: this.folder, stateDir });
    busyboxImage({ out: join(this.folder, "layout"), reference: "app:1", files: new Map() });
  }

  static async open(kind: "podman" | "rkt", engine: ProvidedEngine): Promise<SystemdFleet> {
    return new SystemdFleet(await SystemdMachine.boot(), kind, engine);
  }

  declare(pods: object): void {
    const here = {
      address: "local",
      engine: this.#lab.config,
      stateDir: join(this.folder, "state"),
      runDir: `/run/stowage-test`,
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

  /** Runs Stowage on the host, which has to succeed. @returns all that it said */
  stowage(...words: readonly string[]): string {
    const file = ["-f", join(this.folder, "fleet.json")];
    const { status, stdout, stderr } = this.machine.spawn([
      process.execPath,
      cli,
      ...words,
      ...file,
    ]);
    const said = `${stdout}${stderr}`;
    if (status !== 0) throw new Error(`stowage ${words.join(" ")} ended with ${status}: ${said}`);
    return said;
  }

  /** Units of containers, without the one of the boot. */
  units(): readonly string[] {
    return this.machine.units("stw-").filter((name) => !name.startsWith("stw-boot-"));
  }

  /** What answers on the host's port; nothing when nothing does. */
  page(): string {
    const source = `fetch("http://127.0.0.1:18080/", { signal: AbortSignal.timeout(2000) })
  .then(async (answer) => process.stdout.write(await answer.text())).catch(() => {})`;
    return this.machine.spawn([process.execPath, "-e", source]).stdout;
  }

  async answers(): Promise<void> {
    await expect.poll(() => this.page(), { timeout: 30_000 }).toBe("hello\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.stowage("destroy", "--yes");
    } finally {
      await this.machine[Symbol.asyncDispose]();
      await this.#lab.close();
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

const main = (script: string, more: object = {}) => ({
  containers: { main: { image: "app:1", command: ["sh", "-c", script], ...more } },
});
/** Answers on a port, and ends when it is asked to. */
const page = (port: number) =>
  `trap 'exit 0' TERM; mkdir -p /tmp/www; echo hello >/tmp/www/index.html; httpd -f -p ${port} -h /tmp/www & wait`;
const PRIVILEGED = { security: { privileged: true } };
const WHY_NOT = whyNoSystemd();
const needsSystemd = WHY_NOT === undefined ? test : test.skip;
const reason = WHY_NOT === undefined ? "" : ` (skipped: ${WHY_NOT})`;

describeWithEngine("rkt", "rkt under systemd", (rkt) => {
  needsSystemd(
    `a container is a unit with its limits, which whoever stops it stops whole${reason}`,
    async () => {
      await using fleet = await SystemdFleet.open("rkt", rkt);
      const { machine } = fleet;
      const web = (pidsMax: number) => ({
        ...main(page(18080), {
          ...PRIVILEGED,
          resources: { memoryBytes: 64 * 1024 * 1024, cpuset: "0", pidsMax },
        }),
        network: { mode: "host" },
      });
      fleet.declare({ web: web(20) });
      fleet.stowage("apply", "--yes");
      fleet.stowage("plan");
      const [unit = "", ...others] = fleet.units();
      expect(others).toEqual([]);
      expect(machine.unit(unit, "ActiveState", "KillMode", "Delegate", "ControlGroup")).toEqual({
        ActiveState: "active",
        KillMode: "mixed",
        Delegate: "yes",
        ControlGroup: `/system.slice/${unit}`,
      });
      await fleet.answers();
      const limit = (file: string) => {
        const [controller] = file.split(".");
        const app = unit.replace(/\.service$/, "");
        return machine
          .run("cat", `/sys/fs/cgroup/${controller}/system.slice/${unit}/${app}/${file}`)
          .trim();
      };
      expect(["memory.limit_in_bytes", "cpuset.cpus", "pids.max"].map(limit)).toEqual([
        `${64 * 1024 * 1024}`,
        "0",
        "20",
      ]);
      // systemd reads its units anew, and puts cgroups as it knows them
      machine.run("systemctl", "daemon-reload");
      fleet.declare({ web: web(30) });
      expect(fleet.stowage("apply", "--yes")).toContain("update");
      expect(limit("pids.max")).toBe("30");
      fleet.stowage("plan");

      machine.run("systemctl", "stop", unit);
      expect(fleet.page()).toBe("");
      expect(machine.run("sh", "-c", "pgrep httpd || echo none")).toBe("none\n");
      expect(() => fleet.stowage("plan")).toThrow("it ended with exit code 0");
      fleet.stowage("apply", "--yes");
      fleet.stowage("plan");
      await fleet.answers();

      fleet.stowage("destroy", "--yes");
      expect(fleet.units()).toEqual([]);
      expect(machine.run("find", "/sys/fs/cgroup", "-name", "stw-*")).toBe("");
      expect(machine.run("sh", "-c", "pgrep httpd || echo none")).toBe("none\n");
    },
    180_000,
  );
});

for (const kind of ["podman", "rkt"] as const) {
  describeWithEngine(kind, `a boot of systemd with ${kind}`, (engine) => {
    needsSystemd(
      `its unit brings pods back, and whoever asks then sees nothing to do${reason}`,
      async () => {
        await using fleet = await SystemdFleet.open(kind, engine);
        const { machine } = fleet;
        const web = {
          ...main(page(8080), kind === "rkt" ? PRIVILEGED : {}),
          network: { mode: "bridge", name: "front" },
          ports: [{ host: 18080, container: 8080 }],
          restart: { policy: "always" },
        };
        fleet.declare({ web });
        fleet.stowage("apply", "--yes");
        await fleet.answers();
        // what was started by hand is not to go with the session, and is not to be there after a boot
        for (const _ of [1, 2]) {
          await machine.reboot();
          const [unit = ""] = machine.units("stw-boot-");
          await expect
            .poll(() => machine.unit(unit, "ActiveState", "Result"), { timeout: 60_000 })
            .toEqual({ ActiveState: "inactive", Result: "success" });
          await fleet.answers();
          fleet.stowage("plan");
        }
      },
      180_000,
    );
  });
}
