import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { createConnector } from "../../src/cli/connector.ts";
import { FleetManifest, MANIFEST_VERSION } from "../../src/model/index.ts";
import { applyFleet, type WatchEvent, watchFleet } from "../../src/reconcile/index.ts";
import { restartSshd, startContainerd, startSshd } from "../hosts/services.ts";
import type { TestHost } from "../hosts/test-host.ts";
import { TestHosts } from "../hosts/test-hosts.ts";
import { describeWithTestHosts } from "../set-up/describe-with-test-hosts.ts";

const ENGINES = ["containerd", "podman"] as const;
const WAIT = { timeout: 60_000, interval: 50 };

describeWithTestHosts("stowage watch over ssh", () => {
  let hosts: TestHosts;
  let all: readonly TestHost[];

  beforeAll(async () => {
    hosts = await TestHosts.make();
    all = await Promise.all(ENGINES.map((engine) => hosts.add(engine)));
    for (const host of all) await startSshd(host, hosts.keys);
    await Promise.all(all.map((host) => startContainerd(host)));
    busyboxImage({ out: join(hosts.folder, "layout"), reference: "app:1", files: new Map() });
  }, 300_000);
  afterAll(async () => await hosts[Symbol.asyncDispose](), 300_000);

  const manifest = (): FleetManifest => {
    const health = { kind: "exec", command: ["true"], intervalMs: 100 };
    const main = { image: "app:1", command: ["sleep", "100000"], stopSignal: "SIGKILL", health };
    const pods = { web: { containers: { main }, restart: { policy: "always" } } };
    return FleetManifest.parse({
      version: MANIFEST_VERSION,
      name: "shop",
      id: "owner-1",
      images: { "app:1": { layout: "layout" } },
      hosts: Object.fromEntries(
        all.map(({ name, address }) => [
          name,
          { address: `ssh://root@${address}`, engine: { kind: name }, pods },
        ]),
      ),
    });
  };
  const logins = async (): Promise<readonly number[]> =>
    await Promise.all(
      all.map(async (host) =>
        Number(await host.sh("grep -c 'Accepted publickey' /var/log/sshd.log || :")),
      ),
    );
  const pidOf = async (host: TestHost) => (await host.sh("pgrep -xf 'sleep 100000' || :")).trim();

  /** A watch that goes on while something is done. @returns how often it logged in to each host */
  const watching = async (
    use: (events: readonly WatchEvent[]) => Promise<void>,
  ): Promise<readonly number[]> => {
    const common = {
      connector: createConnector({ sshConfig: hosts.keys.config }),
      environment: {},
      options: {},
      appliedBy: "test@desk",
    };
    const first = { manifest: manifest(), manifestDir: hosts.folder };
    await applyFleet({
      ...common,
      ...first,
      confirm: async () => true,
      lockTimeoutMs: 60_000,
      onEvent: () => {},
    });
    const [drain, abort] = [new AbortController(), new AbortController()];
    const events: WatchEvent[] = [];
    const before = await logins();
    const watch = watchFleet({
      ...common,
      source: { first, changed: async () => undefined },
      drift: "mend",
      once: false,
      times: {
        intervalMs: 500,
        fullIntervalMs: 1_000,
        maxPauseMs: 1_000,
        probeIntervalMs: 500,
      },
      drain: drain.signal,
      abort: abort.signal,
      onEvent: (event) => events.push(event),
    });
    try {
      await use(events);
    } finally {
      drain.abort();
      await watch;
    }
    const after = await logins();
    return after.map((count, nth) => count - (before[nth] ?? 0));
  };

  const restarted = (events: readonly WatchEvent[], host: string) =>
    events.filter((event) => event.type === "changed" && event.outcome.id === `${host}/web`);

  test("a host is logged in to once, however often it is looked at and whatever is done there", async () => {
    const counted = await watching(async (events) => {
      const passes = () => events.filter(({ type }) => type === "pass").length;
      await expect.poll(passes, WAIT).toBeGreaterThan(2);
      const killed = all[0] as TestHost;
      const pid = await pidOf(killed);
      await killed.sh(`kill -9 ${pid}`);
      await expect.poll(() => restarted(events, killed.name).length, WAIT).toBeGreaterThan(0);
      await expect.poll(() => pidOf(killed), WAIT).toMatch(/^\d+$/);
      const seen = passes();
      await expect.poll(passes, WAIT).toBeGreaterThan(seen + 2);
    });
    expect(counted).toEqual([1, 1]);
  }, 300_000);

  test("what ends is started again while another host is away, which is watched when it is back", async () => {
    const [there, gone] = all as readonly [TestHost, TestHost];
    await watching(async (events) => {
      await expect
        .poll(() => events.filter(({ type }) => type === "pass").length, WAIT)
        .toBeGreaterThan(1);
      await gone.sh("kill $(cat /run/sshd.pid); rm -f /run/sshd.pid; pkill -x sshd || :");
      await expect
        .poll(() => events.filter(({ type }) => type === "deaf").length, WAIT)
        .toBeGreaterThan(0);
      await there.sh(`kill -9 ${await pidOf(there)}`);
      await expect.poll(() => pidOf(there), { timeout: 15_000, interval: 50 }).toMatch(/^\d+$/);
      await restartSshd(gone);
      await gone.sh(`kill -9 ${await pidOf(gone)}`);
      await expect.poll(() => pidOf(gone), WAIT).toMatch(/^\d+$/);
    });
  }, 300_000);
});
