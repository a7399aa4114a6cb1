import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { createConnector } from "../../src/cli/connector.ts";
import { FleetManifest, type HostSpec, MANIFEST_VERSION } from "../../src/model/index.ts";
import { type ApplyEvent, applyFleet, planFleet } from "../../src/reconcile/index.ts";
import { restartSshd, startContainerd, startSshd } from "../hosts/services.ts";
import type { TestHost } from "../hosts/test-host.ts";
import { TestHosts } from "../hosts/test-hosts.ts";
import { describeWithTestHosts } from "../set-up/describe-with-test-hosts.ts";

/** All of them with STOWAGE_HOSTS=20; a few show the same. */
const HOSTS = Number(process.env["STOWAGE_HOSTS"] ?? 4);
const PODS = HOSTS >= 20 ? 10 : 2;
/** What goes wrong in the middle of an apply: of a few hosts all at once, which takes half the time. */
const TROUBLES: readonly Trouble[] =
  HOSTS >= 20
    ? [
        { cut: ["h0", "h1", "h2"], booted: [], full: [], image: "app:2" },
        { cut: [], booted: ["h0"], full: ["h1"], image: "app:3" },
      ]
    : [{ cut: ["h0"], booted: ["h2"], full: ["h1"], image: "app:2" }];
const DAY_MS = 24 * 60 * 60 * 1000;

interface Trouble {
  readonly cut: readonly string[];
  readonly booted: readonly string[];
  readonly full: readonly string[];
  readonly image: string;
}

describeWithTestHosts(`${HOSTS} hosts of ${PODS} pods over ssh`, () => {
  let hosts: TestHosts;
  let all: ReadonlyMap<string, TestHost>;

  beforeAll(async () => {
    hosts = await TestHosts.make();
    const names = Array.from({ length: HOSTS }, (_, nth) => `h${nth}`);
    const made = await Promise.all(names.map((name) => hosts.add(name)));
    all = new Map(made.map((host) => [host.name, host]));
    for (const host of made) await startSshd(host, hosts.keys);
    await Promise.all(made.map((host) => startContainerd(host)));
    for (let nth = 1; nth <= 6; nth += 1) {
      const files = new Map([["/name", { content: String(nth) }]]);
      busyboxImage({ out: join(hosts.folder, "layout"), reference: `app:${nth}`, files });
    }
  }, 300_000);
  afterAll(async () => await hosts[Symbol.asyncDispose](), 300_000);

  interface Declared {
    readonly image: string;
    readonly change?: Readonly<Record<string, Partial<HostSpec>>>;
    readonly without?: string;
  }
  const manifest = ({ image, change = {}, without }: Declared): FleetManifest => {
    const main = { image, command: ["sleep", "100000"], stopSignal: "SIGKILL" };
    const pods = Object.fromEntries(
      Array.from({ length: PODS }, (_, nth) => [`p${nth}`, { containers: { main } }]),
    );
    const kept = [...all].filter(([name]) => name !== without);
    return FleetManifest.parse({
      version: MANIFEST_VERSION,
      name: "shop",
      id: "owner-1",
      images: Object.fromEntries(
        [1, 2, 3, 4, 5, 6].map((nth) => [`app:${nth}`, { layout: "layout" }] as const),
      ),
      hosts: Object.fromEntries(
        kept.map(([name, { address }], nth) => [
          name,
          {
            address: `ssh://root@${address}`,
            engine: { kind: nth % 2 === 0 ? "containerd" : "podman" },
            pods,
            ...change[name],
          },
        ]),
      ),
    });
  };
  const request = (declared: Declared) => ({
    manifest: manifest(declared),
    manifestDir: hosts.folder,
    connector: createConnector({ sshConfig: hosts.keys.config }),
    environment: {},
    options: {},
  });
  const apply = async (declared: Declared, onEvent: (event: ApplyEvent) => void = () => {}) =>
    await applyFleet({
      ...request(declared),
      confirm: async () => true,
      appliedBy: "test@desk",
      lockTimeoutMs: 120_000,
      allowRemovals: 1_000,
      onEvent,
    });
  const plan = async (declared: Declared) => (await planFleet(request(declared))).plan;
  /** Applies to the end, and sees that nothing is left to do and each pod runs once. */
  const converge = async (declared: Declared): Promise<void> => {
    const { status, outcomes } = await apply(declared);
    expect(outcomes.flatMap(({ reason }) => reason ?? [])).toEqual([]);
    expect(["done", "converged"]).toContain(status);
    const { pods, hostChanges } = await plan(declared);
    expect([...pods, ...hostChanges].map(({ id }) => id)).toEqual([]);
    for (const [name, host] of all)
      expect(`${name} ${await running(host)}`).toBe(
        `${name} ${name === declared.without ? 0 : PODS}`,
      );
  };
  const running = async (host: TestHost) => Number(await host.sh("pgrep -cxf 'sleep 100000' || :"));
  const logins = async () =>
    await Promise.all(
      [...all.values()].map(async (host) =>
        Number(await host.sh("grep -c 'Accepted publickey' /var/log/sshd.log || :")),
      ),
    );
  const named = (name: string): TestHost => all.get(name) as TestHost;
  const start = async (host: TestHost): Promise<void> => {
    await restartSshd(host);
    await startContainerd(host);
  };
  /** Does something once to each of these hosts, when the first change of a pod there has begun. */
  const atFirstChange = (names: readonly string[], act: (host: TestHost) => Promise<unknown>) => {
    const acted = new Map<string, Promise<unknown>>();
    const onEvent = (event: ApplyEvent): void => {
      if (event.type !== "change-started") return;
      const name = names.find((each) => event.id.startsWith(`${each}/p`));
      if (name !== undefined && !acted.has(name)) acted.set(name, act(named(name)));
    };
    return { onEvent, acted: async () => void (await Promise.all(acted.values())) };
  };

  test("are applied, by one connection each, and then there is nothing to do", async () => {
    const before = await logins();
    await converge({ image: "app:1" });
    // the apply and the plan after it
    expect(await logins()).toEqual(before.map((count) => count + 2));
  }, 600_000);

  test.each(TROUBLES)(
    "with $cut cut off, $booted rebooted and $full full in the middle, these are told of, the others converge, and so do they later",
    async ({ cut, booted, full, image }) => {
      // what podman and containerd write there has no room
      for (const name of full)
        await named(name).sh("head -c 2G /dev/zero >/var/lib/filled 2>/dev/null || :");
      const { onEvent, acted } = atFirstChange([...cut, ...booted], async (host) => {
        if (cut.includes(host.name)) return await host.link.cut();
        await host.reboot();
        await start(host);
      });
      const { status, outcomes } = await apply({ image }, onEvent);
      await acted();
      expect(status).toBe("failed");
      const open = outcomes.filter((each) => each.status !== "done");
      const troubled = [...cut, ...booted, ...full].sort();
      expect([...new Set(open.map(({ host }) => host))].sort()).toEqual(troubled);
      expect(open.filter(({ reason = "" }) => reason === "")).toEqual([]);
      for (const name of full) {
        const reasons = open.flatMap(({ host, reason = "" }) => (host === name ? [reason] : []));
        expect(reasons.join("\n")).toMatch(/no space|are free there/);
        await named(name).sh("rm /var/lib/filled");
      }
      const pods = outcomes.filter((each) => each.status === "done" && each.pod !== undefined);
      for (const name of [...all.keys()].filter((each) => !troubled.includes(each)))
        expect(pods.filter(({ host }) => host === name)).toHaveLength(PODS);
      for (const name of cut) await named(name).link.mend();
      await converge({ image });
    },
    600_000,
  );

  test("nothing depends on their clocks: a day before and behind this machine's", async () => {
    // only the difference counts, and containerd's clock cannot be moved without the machine's
    try {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 1.1 * DAY_MS });
      await converge({ image: "app:4" });
      vi.setSystemTime(Date.now() + 2.2 * DAY_MS);
      await converge({ image: "app:5" });
    } finally {
      vi.useRealTimers();
    }
  }, 600_000);

  test("one moves to another engine, as a local one does", async () => {
    const declared: Declared = { image: "app:5", change: { h0: { engine: { kind: "podman" } } } };
    const planned = await plan(declared);
    expect(planned.pods.map(({ id, action }) => `${id} ${action}`)).toEqual(
      Array.from({ length: PODS }, (_, nth) => `h0/p${nth} move-engine`),
    );
    await converge(declared);
    const host = named("h0");
    expect(await host.sh("ctr -n stowage containers ls -q; ctr -n stowage images ls -q")).toBe("");
    await converge({ image: "app:5" });
    expect(await host.sh("podman ps -aq; podman images -q")).toBe("");
  }, 600_000);

  test("one that is taken out leaves, told by the others; out of reach, the plan says so", async () => {
    const declared: Declared = { image: "app:5", without: `h${HOSTS - 1}` };
    const leaving = named(declared.without ?? "");
    await leaving.sh("kill $(cat /run/sshd.pid)");
    const away = await plan(declared);
    expect(away.hostChanges.map(({ host, action, text }) => `${host} ${action} ${text}`)).toEqual([
      expect.stringMatching(
        /^h\d+ unreachable the host leaves the fleet and cannot be reached: .*--forget-host/,
      ),
    ]);
    await leaving.sh("rm -f /run/sshd.pid");
    await restartSshd(leaving);
    const there = await plan(declared);
    expect(there.hostChanges.map(({ host, action }) => `${host} ${action}`)).toContain(
      `${leaving.name} leave`,
    );
    await converge(declared);
  }, 600_000);

  test("a socket that is no containerd's is told, and nothing is done there", async () => {
    const host = named("h0");
    await host.sh(`cat >/run/other.pl <<'END'
use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Local => "/run/other.sock", Listen => 5);
while (my $c = $s->accept) { print $c "220 mail ready\\r\\n"; close $c }
END
setsid perl /run/other.pl >/dev/null 2>&1 </dev/null &
until [ -S /run/other.sock ]; do sleep 0.01; done`);
    const engine = { kind: "containerd", socket: "/run/other.sock" } as const;
    const made = await plan({ image: "app:5", change: { h0: { engine } } });
    expect(made.pods.filter(({ host: on }) => on === "h0")).toEqual([]);
    const own = made.hostChanges.filter(({ host: on }) => on === "h0");
    expect(own.map(({ action, text }) => `${action} ${text}`)).toEqual([
      expect.stringMatching(
        /^unreachable the host cannot be reached: .*does not answer like containerd/,
      ),
    ]);
  }, 600_000);
});
