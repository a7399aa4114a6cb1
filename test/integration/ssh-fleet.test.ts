import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { createConnector } from "../../src/cli/connector.ts";
import { FleetManifest, type HostSpec, MANIFEST_VERSION } from "../../src/model/index.ts";
import {
  type ApplyEvent,
  applyFleet,
  planFleet,
  runOnce,
  uninstallHost,
} from "../../src/reconcile/index.ts";
import { addUser, startContainerd, startSshd } from "../hosts/services.ts";
import type { TestHost } from "../hosts/test-host.ts";
import { TestHosts } from "../hosts/test-hosts.ts";
import { describeWithTestHosts } from "../set-up/describe-with-test-hosts.ts";
import { ApplyProgram } from "../support/apply-program.ts";

const UNKIND = "MaxStartups 1:100:1\nMaxSessions 1\nPermitRootLogin no\nAllowTcpForwarding no";

describeWithTestHosts("a fleet over ssh", () => {
  let hosts: TestHosts;
  let all: readonly TestHost[];
  let one: TestHost;
  const apply = new ApplyProgram();

  beforeAll(async () => {
    hosts = await TestHosts.make();
    all = await Promise.all(["one", "two", "three"].map((name) => hosts.add(name)));
    one = all[0] as TestHost;
    const [, two, three] = all as [TestHost, TestHost, TestHost];
    await startSshd(one, hosts.keys);
    for (const host of [two, three]) {
      await startSshd(host, hosts.keys, UNKIND);
      await addUser(host, hosts.keys, "ops", { sudo: "ALL=(root) NOPASSWD: ALL" });
    }
    await Promise.all([startContainerd(one), startContainerd(two), apply.build()]);
    for (const nth of [1, 2, 3]) {
      busyboxImage({
        out: join(hosts.folder, "layout"),
        reference: `app:${nth}`,
        files: new Map([["/name", { content: String(nth) }]]),
      });
    }
    vitestEnvironment(hosts.keys.config);
  });
  afterAll(async () => {
    apply[Symbol.dispose]();
    await hosts[Symbol.asyncDispose]();
  });

  const manifest = (image: string): FleetManifest => {
    const main = { image, command: ["sleep", "100000"], stopSignal: "SIGKILL" };
    const resources = { memoryBytes: 67_108_864 };
    const pods = { web: { containers: { main: { ...main, resources } } } };
    const [at, two, three] = all.map(({ address }) => address);
    return FleetManifest.parse({
      version: MANIFEST_VERSION,
      name: "shop",
      id: "owner-1",
      images: Object.fromEntries(
        [1, 2, 3].map((nth) => [`app:${nth}`, { layout: "layout" }] as const),
      ),
      hosts: {
        one: { address: `ssh://root@${at}`, engine: { kind: "containerd" }, pods },
        two: { address: `ssh://ops@${two}:22`, engine: { kind: "containerd" }, pods },
        three: { address: `ssh://ops@${three}`, engine: { kind: "podman" }, pods },
      },
    });
  };
  const request = (image: string) => ({
    manifest: manifest(image),
    manifestDir: hosts.folder,
    connector: createConnector({ sshConfig: hosts.keys.config }),
    environment: {},
    options: {},
  });
  const converge = async (image: string, onEvent: (event: ApplyEvent) => void = () => {}) =>
    await applyFleet({
      ...request(image),
      confirm: async () => true,
      appliedBy: "test@desk",
      lockTimeoutMs: 60_000,
      allowRemovals: 1_000,
      onEvent,
    });
  /** Converges, or says why not. */
  const convergeWhole = async (image: string) => {
    const { plan, status, outcomes } = await converge(image);
    const away = plan.hostChanges.filter(({ action }) => action === "unreachable");
    expect(away.map(({ text }) => text)).toEqual([]);
    expect(outcomes.flatMap(({ reason }) => reason ?? [])).toEqual([]);
    expect(status).toBe("done");
  };
  const changes = async (image: string) => {
    const { plan } = await planFleet(request(image));
    return [...plan.pods.map(({ id }) => id), ...plan.hostChanges.map(({ id }) => id)];
  };
  /** The process of each host's pod, of which there is one. */
  const running = async () =>
    await Promise.all(all.map((host) => host.sh("pgrep -xf 'sleep 100000'")));

  test("is applied on every engine, and then there is nothing to do", async () => {
    await convergeWhole("app:1");
    expect(await changes("app:1")).toEqual([]);
    expect((await running()).map((pids) => pids.trim().split("\n").length)).toEqual([1, 1, 1]);
  });

  test("a host whose wire is cut in the middle is told of, the others converge, and so does it later", async () => {
    const { status, outcomes } = await converge("app:2", (event) => {
      if (event.type === "change-started" && event.id === "one/web") void one.link.cut();
    });
    expect(status).not.toBe("done");
    const done = outcomes.filter(({ status: each }) => each === "done").map(({ id }) => id);
    expect(done).toEqual(expect.arrayContaining(["two/web", "three/web"]));
    expect(done).not.toContain("one/web");
    await one.link.mend();
    await convergeWhole("app:2");
    expect(await changes("app:2")).toEqual([]);
    expect((await running()).map((pids) => pids.trim().split("\n").length)).toEqual([1, 1, 1]);
  });

  test.each(["prepare", "start"])(
    "an apply that is killed at the first %s leaves nothing that the next one does not mend",
    async (kind) => {
      const image = kind === "start" ? "app:3" : "app:1";
      const path = join(hosts.folder, "fleet.json");
      writeFileSync(path, JSON.stringify(manifest(image)));
      const { ended } = apply.start({ manifest: path }, (event, process) => {
        if (event.type === "step-started" && event.step.kind === kind) process.kill("SIGKILL");
      });
      expect((await ended).signal).toBe("SIGKILL");
      for (const host of all) while ((await host.sh("pgrep -c stowage-agent || :")) !== "0\n");
      await convergeWhole(image);
      expect(await changes(image)).toEqual([]);
      expect((await running()).map((pids) => pids.trim().split("\n").length)).toEqual([1, 1, 1]);
    },
  );

  test.each(["one", "two", "three"])(
    "a command that is run once on %s goes on though the connection is lost twice, and each line is told once",
    async (name) => {
      const host = all.find((each) => each.name === name) as TestHost;
      expect(["done", "converged"]).toContain((await converge("app:3")).status);
      const lines: string[] = [];
      const code = await runOnce({
        ...request("app:3"),
        host: name,
        pod: "web",
        once: {
          container: "main",
          entrypoint: "sh",
          args: ["-c", "for nth in $(seq 40); do echo $nth; sleep 0.1; done; exit 5"],
        },
        appliedBy: "test@desk",
        lockTimeoutMs: 60_000,
        onEvent: () => {},
        onStarted: () => {},
        output: {
          kind: "lines",
          onLine: async ({ text }) => {
            lines.push(text);
            if (text === "3" || text === "20") await host.sh("pkill stowage-agent");
          },
        },
        onLeft: (pod, reason) => expect.fail(`${pod} is left: ${reason}`),
      });
      expect(lines).toEqual(Array.from({ length: 40 }, (_, index) => String(index + 1)));
      expect(code).toBe(5);
      expect(await changes("app:3")).toEqual([]);
    },
  );

  test("uninstalled from, hosts have nothing of Stowage's any more; others keep theirs", async () => {
    const { hosts: specs, id: owner, name: fleet } = manifest("app:1");
    for (const name of ["two", "three"]) {
      const report = await uninstallHost({
        ...request("app:1"),
        name,
        spec: specs[name] as HostSpec,
        own: { owner, fleet },
        volumes: false,
        appliedBy: "test@desk",
        lockTimeoutMs: 60_000,
        onEvent: () => {},
        confirm: async () => true,
      });
      expect(report).toMatchObject({ status: "done", leaves: [], problems: [] });
    }
    const look = `for each in /var/lib/stowage /run/stowage /sys/fs/cgroup/*/stowage; do [ ! -e $each ] || echo $each; done
pgrep -xf 'sleep 100000' || :
iptables-save | grep stw || :
podman ps -aq 2>/dev/null || :
podman images -q 2>/dev/null || :
ls /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots 2>/dev/null || :`;
    const [one_, two, three] = await Promise.all(all.map((host) => host.sh(look)));
    expect([two, three]).toEqual(["", ""]);
    expect(one_).toContain("/var/lib/stowage");
  });
});

/** What a process of its own reaches hosts with. */
function vitestEnvironment(config: string): void {
  process.env["STOWAGE_SSH_CONFIG"] = config;
}
