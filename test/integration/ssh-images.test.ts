import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { createConnector } from "../../src/cli/connector.ts";
import type { ImageDescriptor } from "../../src/image/index.ts";
import { openRegistries } from "../../src/image/registry/index.ts";
import { FleetManifest, type HostSpec, MANIFEST_VERSION } from "../../src/model/index.ts";
import { imagesOnly, type Plan, type PlanOptions } from "../../src/plan/index.ts";
import { type ApplyEvent, applyFleet, planFleet } from "../../src/reconcile/index.ts";
import { startContainerd, startSshd } from "../hosts/services.ts";
import type { TestHost } from "../hosts/test-host.ts";
import { TestHosts } from "../hosts/test-hosts.ts";
import { describeWithTestHosts } from "../set-up/describe-with-test-hosts.ts";
import {
  type FakeRegistry,
  type FakeRequest,
  fakeRegistryAt,
} from "../support/registry/fake-registry.ts";
import { serveLayout } from "../support/registry/serve-layout.ts";

const PASSWORD = "canary-5190";
const AUTH = Buffer.from(`ann:${PASSWORD}`).toString("base64");
/** What every image has of its own: bytes that no compression makes less of. */
const OWN_BYTES = 6_000_000;

/** Slow enough for a connection to be broken before all is sent. */
const RATE = 1_500_000;

type How = Pick<HostSpec, "pull" | "pullBytesPerSecond">;

describeWithTestHosts("images of hosts over ssh", () => {
  let hosts: TestHosts;
  let daemon: TestHost;
  let podman: TestHost;
  let registry: FakeRegistry;
  /** From 2.0 on containerd itself pulls, before that its ctr. */
  let puller: "ctr" | "containerd";
  /** Arguments of all programs of the machine, hosts among them, while a host asks for a layer. */
  let seen = "";
  let tags = 0;

  beforeAll(async () => {
    hosts = await TestHosts.make();
    [daemon, podman] = await Promise.all([hosts.add("daemon"), hosts.add("podman")]);
    for (const host of [daemon, podman]) await startSshd(host, hosts.keys);
    await startContainerd(daemon);
    const version = await daemon.sh("containerd --version");
    puller = / v?1\.\d+\./.test(version) ? "ctr" : "containerd";
    const gateway = daemon.address.replace(/\d+$/, "1");
    registry = await fakeRegistryAt(gateway, (request, response) => {
      if (request.line.includes("/blobs/") && request.from !== gateway) seen += argumentsOfAll();
      if (request.headers.authorization === `Basic ${AUTH}`) return false;
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      return true;
    });
    const auths = { [registry.domain]: { auth: AUTH } };
    writeFileSync(join(hosts.folder, "config.json"), JSON.stringify({ auths }));
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await hosts[Symbol.asyncDispose]();
  });

  let image = "";
  let layers: readonly ImageDescriptor[] = [];
  beforeEach(() => {
    tags += 1;
    const layout = join(hosts.folder, `layout-${tags}`);
    const own = { content: randomBytes(OWN_BYTES) };
    const files = new Map([["/own", own]]);
    const made = busyboxImage({ out: layout, reference: `app:${tags}`, files });
    layers = made.layers;
    registry.handlers.push(serveLayout(layout, "app"));
    image = `${registry.domain}/app:${tags}`;
    (registry.asked as FakeRequest[]).length = 0;
    seen = "";
  });

  const manifest = (how: How, only?: string): FleetManifest => {
    const main = { image, command: ["sleep", "100000"], stopSignal: "SIGKILL" };
    const pods = { web: { containers: { main } } };
    const all: FleetManifest["hosts"] = {
      daemon: {
        address: `ssh://root@${daemon.address}`,
        engine: { kind: "containerd" },
        pods,
        ...how,
      },
      podman: { address: `ssh://root@${podman.address}`, engine: { kind: "podman" }, pods, ...how },
    };
    return FleetManifest.parse({
      version: MANIFEST_VERSION,
      name: "shop",
      id: "owner-1",
      registries: { [registry.domain]: { plainHttp: true } },
      hosts: Object.fromEntries(
        Object.entries(all).filter(([name]) => only === undefined || name === only),
      ),
    });
  };
  const request = (how: How, only?: string, options: PlanOptions = {}) => {
    const declared = manifest(how, only);
    const env = { HOME: hosts.folder, DOCKER_CONFIG: hosts.folder };
    return {
      manifest: declared,
      manifestDir: hosts.folder,
      connector: createConnector({ sshConfig: hosts.keys.config }),
      registries: openRegistries({ env, declared: declared.registries }),
      environment: {},
      options: { ...options, ...(only === undefined ? {} : { hosts: [only] }) },
    };
  };
  const planned = async (how: How) => (await planFleet(request(how))).plan;
  const importers = ({ hostChanges }: Plan) =>
    hostChanges.flatMap(({ steps }) =>
      steps.flatMap((step) => (step.kind === "import-image" ? [step.by] : [])),
    );
  const apply = async (
    how: How,
    only?: string,
    more: Partial<Parameters<typeof applyFleet>[0]> = {},
  ) => {
    const events: ApplyEvent[] = [];
    const { onEvent, options, ...rest } = more;
    const report = await applyFleet({
      ...request(how, only, options),
      confirm: async () => true,
      appliedBy: "test@desk",
      lockTimeoutMs: 60_000,
      allowRemovals: 1_000,
      ...rest,
      onEvent: (event) => {
        events.push(event);
        onEvent?.(event);
      },
    });
    const notes = events.flatMap((event) => (event.type === "step-note" ? event.text : []));
    return { report, notes };
  };
  const done = async (...args: Parameters<typeof apply>) => {
    const { report, notes } = await apply(...args);
    expect(report.outcomes.flatMap(({ reason }) => reason ?? [])).toEqual([]);
    expect(report.status).toBe("done");
    return notes;
  };
  /** Who asked for layers and configs, each once. */
  const askers = () =>
    [...new Set(registry.asked.filter(isBlobAsked).map(({ from }) => from))].sort();
  const own = [() => daemon.address, () => podman.address];
  const bar = async (action: "-I" | "-D") => {
    const port = registry.domain.split(":")[1];
    for (const host of [daemon, podman])
      await host.sh(`iptables ${action} OUTPUT -p tcp --dport ${port} -j REJECT`);
  };

  test("a host asks the registry itself, by a login that is in no argument and does not stay", async () => {
    expect(importers(await planned({}))).toEqual(["host", "host"]);
    expect(await done({})).toEqual([]);
    expect((await planned({})).hostChanges).toEqual([]);
    // this machine reads what images say of themselves, and no layer
    const here = registry.asked.filter(({ from }) => from.endsWith(".1"));
    expect(here.filter(({ line }) => layers.some(({ digest }) => line.includes(digest)))).toEqual(
      [],
    );
    expect(askers()).toEqual(expect.arrayContaining(own.map((address) => address())));
    expect(seen.includes("content\0fetch")).toBe(puller === "ctr");
    expect(seen).toContain("podman\0");
    for (const secret of [PASSWORD, AUTH]) expect(seen).not.toContain(secret);
    for (const host of [daemon, podman])
      expect(await host.sh(`grep -rlE '${PASSWORD}|${AUTH}' /run/stowage /var/lib /tmp || :`)).toBe(
        "",
      );
    expect(await daemon.sh("ctr namespaces ls -q")).toBe("stowage\n");
  });

  test("what it cannot reach is sent with a word, or told where the host is declared to get it", async () => {
    await bar("-I");
    try {
      const { report } = await apply({ pull: "host" });
      expect(report.status).toBe("failed");
      const reasons = report.outcomes.filter(({ action }) => action === "import");
      expect(reasons.map(({ reason = "" }) => reason)).toEqual([
        expect.stringMatching(new RegExp(`: ${puller} says: .*refused.*declare pull: controller`)),
        expect.stringMatching(/podman pull says: .*refused.*declare pull: controller/),
      ]);
      const notes = await done({});
      expect(notes).toEqual([1, 2].map(() => expect.stringContaining("so it is sent from here")));
      expect(askers().filter((from) => !from.endsWith(".1"))).toEqual([]);
      expect(await daemon.sh("ctr namespaces ls -q")).toBe("stowage\n");
    } finally {
      await bar("-D");
    }
  });

  test("one with controller is sent it, and asks nobody though it could", async () => {
    expect(importers(await planned({ pull: "controller" }))).toEqual(["controller", "controller"]);
    expect(await done({ pull: "controller" })).toEqual([]);
    expect(askers()).toEqual([expect.stringMatching(/\.1$/)]);
  });

  test("one with never gets nothing from an apply, and all that is pushed", async () => {
    await expect(planned({ pull: "never" })).rejects.toThrow(
      /it has to be on the host already \(pull: never\), and it is not.*stowage push/s,
    );
    await done({ pull: "never" }, undefined, {
      options: { sendImages: true },
      narrow: imagesOnly,
    });
    expect(importers(await planned({ pull: "never" }))).toEqual([]);
    await done({ pull: "never" });
  });

  test.each(["daemon", "podman"])(
    "%s: bytes that are sent go on where a connection broke, and no faster than declared",
    async (name) => {
      const host = name === "daemon" ? daemon : podman;
      const how: How = { pull: "controller", pullBytesPerSecond: RATE };
      const ownLayer = layers.at(-1)?.digest ?? "";
      // all of the other layers, and some of this one that has arrived
      const enough = total(layers.slice(0, -1)) + OWN_BYTES / 3;
      let broken: Promise<string> | undefined;
      const { report } = await apply(how, name, {
        onEvent: (event) => {
          if (event.type !== "step-progress" || event.bytes < enough) return;
          broken ??= host.sh("pkill -KILL -f '^sshd: root'");
        },
      });
      await broken;
      expect(report.status).toBe("failed");
      (registry.asked as FakeRequest[]).length = 0;
      const beganAt = performance.now();
      await done(how, name);
      const asked = registry.asked.filter(({ line }) => line.includes(ownLayer));
      const ranges = asked.map(({ headers: { range } }) => range);
      expect(ranges).toEqual([expect.stringMatching(/^bytes=\d{6,}-$/)]);
      const rest = OWN_BYTES - Number(/\d+/.exec(ranges[0] ?? "")?.[0]);
      expect(performance.now() - beganAt).toBeGreaterThan((rest / RATE) * 1000 - 250);
    },
  );
});

function total(blobs: readonly { readonly size: number }[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}

function isBlobAsked({ line }: FakeRequest): boolean {
  return line.startsWith("GET ") && line.includes("/blobs/");
}

function argumentsOfAll(): string {
  return readdirSync("/proc")
    .flatMap((pid) => {
      try {
        return /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : [];
      } catch {
        return [];
      }
    })
    .join("\n");
}
