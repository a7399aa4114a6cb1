import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { openSshHost } from "../../src/host/index.ts";
import { MANIFEST_VERSION } from "../../src/model/index.ts";
import { run } from "../hosts/run.ts";
import { addUser, restartSshd, startContainerd, startSshd } from "../hosts/services.ts";
import type { TestHost } from "../hosts/test-host.ts";
import { TestHosts } from "../hosts/test-hosts.ts";
import { describeWithTestHosts } from "../set-up/describe-with-test-hosts.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { type CliEnd, CliProcess } from "../support/cli-process.ts";

const FAR_WIRE = join(import.meta.dirname, "../hosts/far-wire.mjs");
/** Time that a word takes there and back on the far way. */
const FAR_MS = 100;
const ONE_IN_LOST = 20;
const PODS = ["a", "b"] as const;

/** Of the host on the way: it lets nobody work there, and is as unkind as sshd can be to two at once. */
const GATE = `MaxStartups 1:100:1
PermitRootLogin no`;

describeWithTestHosts("hosts that are reached through another one", () => {
  let hosts: TestHosts;
  let gate: TestHost;
  let one: TestHost;
  let two: TestHost;
  let near: CliProcess;
  let far: CliProcess;

  beforeAll(async () => {
    hosts = await TestHosts.make();
    const made = await Promise.all(["gate", "one", "two"].map((name) => hosts.add(name)));
    [gate, one, two] = made as [TestHost, TestHost, TestHost];
    await startSshd(gate, hosts.keys, GATE);
    for (const host of [one, two]) {
      await startSshd(host, hosts.keys);
      await host.sh(`iptables -I INPUT -p tcp --dport 22 ! -s ${gate.address} -j DROP
touch ${PODS.map((pod) => `/srv/${pod}`).join(" ")}`);
    }
    await addUser(gate, hosts.keys, "hop", { shell: "/usr/sbin/nologin" });
    for (const nth of [1, 2, 3, 4]) {
      const files = new Map([["/name", { content: String(nth) }]]);
      busyboxImage({ out: join(hosts.folder, "layout"), reference: `app:${nth}`, files });
    }
    const farAway = `Host gate\n  ProxyCommand ${process.execPath} ${FAR_WIRE} %h %p ${FAR_MS / 2}\n`;
    const farConfig = `${hosts.keys.config}-far`;
    writeFileSync(farConfig, `${farAway}${configuration()}`);
    appendFileSync(hosts.keys.config, configuration());
    const [cli] = await Promise.all([buildOwnCli(hosts.folder), startContainerd(one)]);
    near = new CliProcess(cli, { STOWAGE_SSH_CONFIG: hosts.keys.config });
    far = new CliProcess(cli, { STOWAGE_SSH_CONFIG: farConfig });
  });
  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
    // of a test that ran out of its time
    await run("pkill", ["-KILL", "-f", hosts.folder]).catch(() => undefined);
  });

  /** What is added to the client's configuration: the hosts by their names, and wrong ways to them. */
  const configuration = (): string => {
    const through = (name: string, address: string, jump: string, more = "") =>
      `Host ${name}\n  HostName ${address}\n  ProxyJump ${jump}\n${more}`;
    return [
      readFileSync(hosts.keys.config, "utf8"),
      `Host gate gate-unknown\n  HostName ${gate.address}\n  User hop\n`,
      "Host gate-unknown\n  HostKeyAlias other\n",
      through("one one-by-*", one.address, "gate"),
      through("two", two.address, "gate"),
      through("closed", one.address, "gate", "  Port 9\n"),
      through("by-root", one.address, "root@gate"),
      through("by-unknown", one.address, "gate-unknown"),
    ].join("\n");
  };

  const declare = (image: string, rollout?: object): string => {
    const container = (pod: string) => ({
      image,
      command: ["sh", "-c", "sleep 100000"],
      stopSignal: "SIGKILL",
      mounts: [{ volume: "doors", path: "/doors", readOnly: true }],
      health: {
        kind: "exec",
        command: ["test", "-e", `/doors/${pod}`],
        intervalMs: 100,
        retries: 1000,
      },
    });
    const pods = Object.fromEntries(
      PODS.map((pod) => [
        pod,
        {
          ...(rollout === undefined ? {} : { service: "web", rollout }),
          containers: { main: container(pod) },
          volumes: { doors: { kind: "bind", path: "/srv" } },
        },
      ]),
    );
    const file = join(hosts.folder, "fleet.json");
    const images = ["app:1", "app:2", "app:3", "app:4"].map((name) => [name, { layout: "layout" }]);
    const fleet = {
      version: MANIFEST_VERSION,
      name: "shop",
      id: "owner-1",
      images: Object.fromEntries(images),
      hosts: {
        one: { address: "ssh://root@one", engine: { kind: "containerd" }, pods },
        two: { address: "ssh://root@two", engine: { kind: "podman" }, pods },
      },
    };
    writeFileSync(file, JSON.stringify(fleet));
    return file;
  };
  /** Applies to the end, and sees that nothing is left to do and each pod runs once. */
  const converge = async (by: CliProcess, file: string) => {
    const applied = await by.run(["apply", "-f", file, "--yes"]);
    expect(applied, applied.stdout).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await by.run(["plan", "-f", file])).toMatchObject({ exitCode: 0 });
    for (const host of [one, two])
      expect(await host.sh("pgrep -cxf 'sleep 100000'")).toBe(`${PODS.length}\n`);
  };
  const logins = async () =>
    await Promise.all(
      [gate, one, two].map(async (host) =>
        Number(await host.sh("grep -c 'Accepted publickey' /var/log/sshd.log || :")),
      ),
    );

  test("a fleet is applied, and then there is nothing to do; each command makes one connection a host", async () => {
    const before = await logins();
    await converge(near, declare("app:1"));
    const after = await logins();
    // ssh makes one on the way for each of the two
    expect(after.map((count, nth) => count - (before[nth] ?? 0))).toEqual([4, 2, 2]);
  });

  test("whoever is in the way is named, and nobody is asked for anything", async () => {
    const asker = join(hosts.folder, "asker");
    writeFileSync(asker, `#!/bin/sh\ntouch ${asker}-asked\necho yes\n`, { mode: 0o755 });
    vi.stubEnv("DISPLAY", ":0");
    vi.stubEnv("SSH_ASKPASS", asker);
    const tell = async (name: string) => {
      await using host = await openSshHost(`ssh://root@${name}`, { config: hosts.keys.config });
      const error: unknown = await host.run(["true"]).catch((reason) => reason);
      const { code, message } = error as { code: string; message: string };
      return `${code}: ${message.replace(/^Cannot reach host \S+: /, "")}`;
    };
    expect(await tell("by-root")).toMatch(
      /^unauthenticated: on the way there, at root@gate: it rejects the keys/,
    );
    expect(await tell("by-unknown")).toMatch(
      /^failed_precondition: on the way there, at gate-unknown: its host key is not in your/,
    );
    expect(existsSync(`${asker}-asked`)).toBe(false);
    expect(await tell("closed")).toMatch(
      /^unavailable: gate, the jump host on the way, cannot reach it: connection refused/,
    );
    await gate.sh("sed -i '1i AllowTcpForwarding no' /etc/ssh/stw_config");
    await restartSshd(gate);
    expect(await tell("one")).toMatch(
      /^failed_precondition: gate, the jump host on the way, does not forward connections; .*AllowTcpForwarding/,
    );
    await gate.sh("sed -i 1d /etc/ssh/stw_config; kill $(cat /run/sshd.pid); rm -f /run/sshd.pid");
    expect(await tell("one")).toMatch(
      /^unavailable: on the way there, at gate: connection refused/,
    );
    const before = await logins();
    const { exitCode, stdout } = await near.run(["apply", "-f", declare("app:2"), "--yes"]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("on the way there, at gate: connection refused");
    expect(await logins()).toEqual(before);
    await restartSshd(gate);
  });

  test("a link that is slow and loses every twentieth packet takes longer, and nothing more", async () => {
    for (const host of [gate, one, two]) await host.link.lose(ONE_IN_LOST);
    try {
      const before = await logins();
      await converge(far, declare("app:2"));
      expect((await logins()).map((count, nth) => count - (before[nth] ?? 0))).toEqual([4, 2, 2]);
    } finally {
      for (const host of [gate, one, two]) await host.link.mend();
    }
  });

  test("a wire behind it that goes dead in the middle is noticed, and leaves no ssh behind; the next apply converges", async () => {
    const file = declare("app:3");
    let cut: Promise<void> | undefined;
    const args = ["apply", "-f", file, "--yes", "--json"];
    const { exitCode, stdout } = await near.run(args, (event) => {
      if (event.type === "change-started" && event.id === "one/a") cut ??= one.link.cut();
    });
    await cut;
    const left = await sshLeft(hosts.keys.config);
    await one.link.mend();
    expect(exitCode).toBe(1);
    const { outcomes } = reportOf(stdout);
    const lost = outcomes.filter(({ status }) => status !== "done");
    expect([...new Set(lost.map(({ host }) => host))]).toEqual(["one"]);
    // whichever of them is the first to find out
    const noticed = /said nothing for|lost the lock|is not reachable|it comes after one\/a/;
    for (const { reason } of lost) expect(reason).toMatch(noticed);
    expect(left).toBe("");
    await converge(near, file);
  }, 120_000);

  test("a rollout is paused from elsewhere while its apply runs, what waits stays in the plan, and it goes on when it is resumed", async () => {
    // the second wave is one pod of each engine, and neither is proven yet
    await one.sh("rm /srv/b");
    await two.sh("rm /srv/a");
    const file = declare("app:4", { canary: 1, maxUnavailable: 2 });
    const begun = new Set<string>();
    let paused: Promise<CliEnd> | undefined;
    const applied = await near.run(["apply", "-f", file, "--yes", "--json"], (event) => {
      if (event.type === "change-started") begun.add(event.id);
      if (begun.has("one/b") && begun.has("two/a"))
        paused ??= near.run(["rollout", "pause", "web", "-f", file]).then(async (end) => {
          await one.sh("touch /srv/b");
          await two.sh("touch /srv/a");
          return end;
        });
    });
    expect(await paused).toMatchObject({ exitCode: 0, stderr: "" });
    expect(applied.exitCode).toBe(2);
    expect(reportOf(applied.stdout)).toMatchObject({ status: "paused" });
    const shown = await near.run(["plan", "-f", file]);
    expect(shown.exitCode).toBe(2);
    expect(shown.stdout).toMatch(/rollout of web {2}paused since .*; 1 change waits? for stowage/);
    expect(shown.stdout).toContain("two/b, waits");
    expect(shown.stdout).toContain("Nothing to do for now: 1 pod to change after stowage rollout");

    // what ended is mended all the same
    await one.sh("pkill -KILL -xof 'sleep 100000'");
    expect(await near.run(["plan", "-f", file])).toMatchObject({
      exitCode: 2,
      stdout: expect.stringContaining("killed by signal 9"),
    });
    expect(await near.run(["apply", "-f", file, "--yes"])).toMatchObject({ exitCode: 2 });
    expect(await one.sh("pgrep -cxf 'sleep 100000'")).toBe(`${PODS.length}\n`);

    expect(await near.run(["rollout", "resume", "web", "-f", file])).toMatchObject({ exitCode: 0 });
    await converge(near, file);
  });
});

interface Report {
  readonly status: string;
  readonly outcomes: readonly {
    readonly host: string;
    readonly status: string;
    readonly reason?: string;
  }[];
}

/** Programs of ssh's that do not end, with those that are about to waited for. */
async function sshLeft(config: string): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    const left = await run("pgrep", ["-fa", `^ssh -F ${config}`]).catch(() => "");
    if (left === "" || tries === 50) return left;
    await delay(100);
  }
}

/** The last line of an apply with `--json`. */
function reportOf(stdout: string): Report {
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Report;
}
