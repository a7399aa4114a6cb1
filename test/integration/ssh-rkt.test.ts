import { cpSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { createConnector } from "../../src/cli/connector.ts";
import { FleetManifest, MANIFEST_VERSION } from "../../src/model/index.ts";
import { applyFleet, planFleet } from "../../src/reconcile/index.ts";
import { addUser, startSshd } from "../hosts/services.ts";
import type { TestHost } from "../hosts/test-host.ts";
import { TestHosts } from "../hosts/test-hosts.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { describeWithTestHosts } from "../set-up/describe-with-test-hosts.ts";
import { ApplyProgram } from "../support/apply-program.ts";

/** Of rkt on a host; /tmp of this machine, where a double of it may lie, is not the host's. */
const FOLDER = "/opt/rkt";
/** Holds a prepare up while there is a file that says so. */
const SLOW = `#!/bin/sh
case " $* " in *" prepare "*)
  [ ! -e /run/hold ] || { echo >/run/held; while [ -e /run/hold ]; do sleep 0.02; done; }
esac
exec ${FOLDER}/rkt "$@"
`;

describeWithTestHosts("rkt over ssh", () => {
  describeWithEngine("rkt", "a fleet", (engine) => {
    let hosts: TestHosts;
    let one: TestHost;
    let two: TestHost;
    const apply = new ApplyProgram();

    beforeAll(async () => {
      hosts = await TestHosts.make();
      [one, two] = await Promise.all([hosts.add("one"), hosts.add("two")]);
      for (const host of [one, two]) {
        await startSshd(host, hosts.keys, host === two ? "PermitRootLogin no" : "");
        const root = `/proc/${host.pid}/root`;
        cpSync(dirname(engine.address), `${root}${FOLDER}`, { recursive: true });
        writeFileSync(`${root}${FOLDER}/slow`, SLOW, { mode: 0o755 });
      }
      await addUser(two, hosts.keys, "ops", { sudo: "ALL=(root) NOPASSWD: ALL" });
      await apply.build();
      for (const nth of [1, 2]) {
        const files = new Map([["/name", { content: String(nth) }]]);
        busyboxImage({ out: join(hosts.folder, "layout"), reference: `app:${nth}`, files });
      }
      process.env["STOWAGE_SSH_CONFIG"] = hosts.keys.config;
    });
    afterAll(async () => {
      apply[Symbol.dispose]();
      await hosts[Symbol.asyncDispose]();
    });

    const manifest = (image: string, more: object = {}): FleetManifest => {
      const main = { image, command: ["sleep", "100000"], stopSignal: "SIGKILL" };
      const host = (user: string, { address }: TestHost) => ({
        address: `ssh://${user}@${address}`,
        engine: { kind: "rkt", program: `${FOLDER}/slow` },
        pods: { web: { containers: { main } } },
        ...more,
      });
      return FleetManifest.parse({
        version: MANIFEST_VERSION,
        name: "shop",
        id: "owner-1",
        images: { [image]: { layout: "layout" } },
        hosts: { one: host("root", one), two: host("ops", two) },
      });
    };
    const request = (image: string, more?: object) => ({
      manifest: manifest(image, more),
      manifestDir: hosts.folder,
      connector: createConnector({ sshConfig: hosts.keys.config }),
      environment: {},
      options: {},
    });
    const converge = async (image: string) => {
      const { status, outcomes } = await applyFleet({
        ...request(image),
        confirm: async () => true,
        appliedBy: "test@desk",
        lockTimeoutMs: 60_000,
        allowRemovals: 1_000,
        onEvent: () => {},
      });
      expect(outcomes.flatMap(({ reason }) => reason ?? [])).toEqual([]);
      expect(["done", "converged"]).toContain(status);
      const { plan } = await planFleet(request(image));
      expect([...plan.pods, ...plan.hostChanges]).toEqual([]);
    };
    /** How many pods of rkt's there are in each of its folders. */
    const folders = async (host: TestHost) =>
      await host.sh(
        `cd /var/lib/rkt/pods; for each in prepare prepared run; do ls $each | wc -l; done`,
      );

    /** Waits until a condition of the shell is so. */
    const until = async (host: TestHost, condition: string) =>
      await host.sh(`n=0; until ${condition}; do n=$((n+1)); [ $n -lt 600 ]; sleep 0.05; done`);

    test("is applied as root and by sudo, and then there is nothing to do", async () => {
      await converge("app:1");
      for (const host of [one, two]) {
        expect(await host.sh("pgrep -xc sleep || :")).toBe("1\n");
        expect(await folders(host)).toBe("0\n0\n1\n");
      }
    });

    test("a prepare goes on to its end when the apply that began it is killed, and leaves nothing that the next one does not mend", async () => {
      await converge("app:1");
      const path = join(hosts.folder, "fleet.json");
      writeFileSync(path, JSON.stringify(manifest("app:2")));
      for (const host of [one, two]) await host.sh("echo >/run/hold");
      const { process: child, ended } = apply.start({ manifest: path });
      for (const host of [one, two]) await until(host, "[ -e /run/held ]");
      child.kill("SIGKILL");
      expect((await ended).signal).toBe("SIGKILL");
      for (const host of [one, two]) {
        await until(host, "! pgrep stowage-agent >/dev/null");
        await host.sh("rm /run/hold");
        await until(host, '[ -n "$(ls /var/lib/rkt/pods/prepared)" ]');
        expect(await folders(host)).toBe("0\n1\n1\n");
      }
      await converge("app:2");
      for (const host of [one, two]) expect(await folders(host)).toBe("0\n0\n1\n");
    });

    test("a directory for its state below a link that leads nowhere is told by the plan", async () => {
      await one.sh("ln -s /nowhere /srv/disk");
      await expect(planFleet(request("app:2", { stateDir: "/srv/disk/stowage" }))).rejects.toThrow(
        "/srv/disk is a broken symbolic link",
      );
      expect(await one.sh("ls -d /nowhere || :")).toBe("");
    });
  });
});
