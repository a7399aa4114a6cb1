import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { App as PlainApp } from "cdktf";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { synthFleet, temporaryApp } from "../../test/support/synth-fleet.ts";
import {
  BridgeNetwork,
  Container,
  Engine,
  Fleet,
  Host,
  Hosts,
  Image,
  Network,
  Pod,
  Probe,
  Secret,
  Service,
  Size,
  Volume,
} from "../index.ts";
import {
  canonicalize,
  digestOf,
  FleetManifest,
  parseFleet,
  validateFleet,
} from "../model/index.ts";

/** The example of the README. */
function shop(
  fleet: Fleet,
  port: { readonly host: number; readonly container: number },
  network: Network,
) {
  for (const name of ["edge-a", "edge-b"]) {
    new Host(fleet, name, { address: `ssh://ops@${name}.example.net`, labels: { role: "web" } });
  }
  new Host(fleet, "lab", { address: "local", labels: { role: "web" }, engine: Engine.sim() });
  new Service(fleet, "web", {
    on: Hosts.labelled({ role: "web" }),
    containers: {
      web: {
        image: "ghcr.io/acme/shop:1.8.2",
        env: { LOG: "info", DB_PASSWORD: Secret.fromEnv("DB_PASSWORD") },
        resources: { memory: Size.mebibytes(256) },
        health: Probe.http({ port: port.container, path: "/healthz" }),
      },
    },
    network,
    ports: [port],
    rollout: { canary: 1, maxUnavailable: 1 },
  });
}
const containerd = { defaults: { engine: Engine.containerd() } };
const port = { host: 8080, container: 8080 };

describe("App.synth()", () => {
  test("writes a manifest that the planner reads", () => {
    const { manifest } = synthFleet((fleet) => shop(fleet, port, Network.host()), containerd);
    expect(validateFleet(parseFleet(manifest, "the manifest"))).toEqual([]);
    expect(Object.keys(manifest.hosts)).toEqual(["edge-a", "edge-b", "lab"]);
    expect(manifest.hosts["edge-a"]?.engine).toEqual({ kind: "containerd" });
    expect(manifest.hosts["lab"]?.engine).toEqual({ kind: "sim" });
    expect(manifest.hosts["edge-b"]?.pods?.["web"]).toEqual({
      containers: {
        web: {
          image: "ghcr.io/acme/shop:1.8.2",
          env: { LOG: "info", DB_PASSWORD: { secret: { fromEnv: "DB_PASSWORD" } } },
          resources: { memoryBytes: 268_435_456 },
          health: { kind: "http", port: 8080, path: "/healthz" },
        },
      },
      network: { mode: "host" },
      ports: [{ host: 8080, container: 8080 }],
      service: "web",
      rollout: { canary: 1, maxUnavailable: 1 },
    });
  });

  test("writes the manifest in canonical form, indented", () => {
    const { text, manifest } = synthFleet((fleet) => shop(fleet, port, Network.host()), containerd);
    expect(text).toBe(`${JSON.stringify(canonicalize(FleetManifest, manifest), null, 2)}\n`);
  });

  test("writes a network of which nothing is said, so that pods can be in it", () => {
    const { manifest } = synthFleet((fleet) => {
      const front = new BridgeNetwork(fleet, "front");
      const host = new Host(fleet, "a", { address: "local" });
      new Pod(host, "web", {
        network: Network.bridge(front),
        containers: { web: { image: "web:1" } },
      });
    }, containerd);
    expect(manifest.networks).toEqual({ front: {} });
  });

  test("writes the same for the same declaration in another order", () => {
    const ordered = (names: readonly string[]) =>
      synthFleet((fleet) => {
        for (const name of names) new Host(fleet, name, { address: `ssh://${name}` });
        new Service(fleet, "web", {
          on: Hosts.all(),
          containers: Object.fromEntries(names.map((name) => [name, { image: "web:1" }])),
        });
      }).text;
    expect(ordered(["a", "b", "c"])).toBe(ordered(["c", "a", "b"]));
  });

  test("lets Terraform apply when the manifest's digest changes, and destroy at its own destroy only", () => {
    const { terraform, manifest } = synthFleet(
      (fleet) => new Host(fleet, "a", { address: "local" }),
    );
    const digest = digestOf(canonicalize(FleetManifest, manifest));
    expect(terraform).toHaveProperty("resource.null_resource.stowage_apply", {
      "//": expect.anything(),
      depends_on: ["null_resource.stowage_fleet"],
      provisioner: [
        {
          "local-exec": {
            command: `stowage apply --yes --lock-timeout 5m -f fleet.json --manifest-digest ${digest}`,
          },
        },
      ],
      triggers: { manifest: digest, fleet: "${null_resource.stowage_fleet.id}" },
    });
    // no triggers: what is replaced is destroyed first
    expect(terraform).toHaveProperty("resource.null_resource.stowage_fleet", {
      "//": expect.anything(),
      provisioner: [
        {
          "local-exec": {
            command: "stowage destroy --yes --lock-timeout 5m -f fleet.json",
            when: "destroy",
          },
        },
      ],
    });
  });

  test("writes nothing when any fleet has a mistake, and names those of all", () => {
    const app = temporaryApp();
    new Host(new Fleet(app, "good", { id: "me" }), "a", { address: "local", engine: Engine.sim() });
    new Host(new Fleet(app, "bad", { id: "me" }), "a", {
      address: "nowhere",
      engine: Engine.sim(),
    });
    new Host(new Fleet(app, "worse", { id: "me" }), "b", { address: "local" });
    expect(() => app.synth()).toThrow(
      /bad\/a: address: must be.*\n.*worse\/b: engine: it has no engine/,
    );
    expect(existsSync(join(app.outdir, "stacks/good"))).toBe(false);
  });

  test("reports at each construct's path under cdktf's own App as well", () => {
    const outdir = mkdtempSync(join(tmpdir(), "stw-synth-"));
    onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
    const app = new PlainApp({ outdir });
    const fleet = new Fleet(app, "shop", { id: "me", defaults: { engine: Engine.sim() } });
    new Pod(new Host(fleet, "a", { address: "nowhere" }), "web");
    expect(() => app.synth()).toThrow(
      /\[shop\/a\] address: must be.*\n.*\[shop\/a\/web\] containers: must have at least one container/,
    );
  });

  test("never writes a manifest with mistakes, not even where validation is skipped", () => {
    const outdir = mkdtempSync(join(tmpdir(), "stw-synth-"));
    onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
    const app = new PlainApp({ outdir, skipValidation: true });
    new Host(new Fleet(app, "shop", { id: "me" }), "a", { address: "nowhere" });
    expect(() => app.synth()).toThrow('Fleet "shop" is not valid');
    expect(existsSync(join(outdir, "stacks/shop/fleet.json"))).toBe(false);
  });
});

describe("the owner of a fleet", () => {
  const inFolder = (cdktfJson: string | undefined) => {
    const folder = mkdtempSync(join(tmpdir(), "stw-project-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    if (cdktfJson !== undefined) writeFileSync(join(folder, "cdktf.json"), cdktfJson);
    vi.spyOn(process, "cwd").mockReturnValue(folder);
    const app = temporaryApp();
    const fleet = new Fleet(app, "shop", { defaults: { engine: Engine.sim() } });
    new Host(fleet, "a", { address: "local" });
    return fleet.diagnostics().map(({ path, summary }) => `${path}: ${summary}`);
  };

  test("is the projectId of cdktf.json", () => {
    expect(inFolder('{"projectId": "3f1c"}')).toEqual([]);
  });

  test.each([
    ["no cdktf.json", undefined, "there is no /"],
    ["one without projectId", "{}", "has no projectId"],
    ["one that is no JSON", "{", "cannot be read"],
    ["one that is no id", '{"projectId": "a b"}', "id: must be 1 to 64 letters"],
  ])("is asked for where there is %s", (_, text, problem) => {
    expect(inFolder(text)).toEqual([expect.stringContaining(problem)]);
  });
});

describe("paths of images", () => {
  test("are relative to the project where they are declared, and to the manifest where they are written", () => {
    const { manifest, folder } = synthFleet((fleet) => {
      const host = new Host(fleet, "a", { address: "local" });
      const image = new Image(fleet, "image", { reference: "hello:1", layout: "./images/hello" });
      const packed = new Image(fleet, "packed", {
        reference: "hello:2",
        archive: "/srv/hello.tar",
      });
      new Pod(host, "hello", { containers: { a: { image }, b: { image: packed } } });
    });
    const layout = manifest.images?.["hello:1"]?.layout ?? "";
    expect(isAbsolute(layout)).toBe(false);
    expect(resolve(folder, layout)).toBe(resolve("images/hello"));
    expect(manifest.images?.["hello:2"]).toEqual({ archive: "/srv/hello.tar" });
  });
});

describe("what is declared", () => {
  test("is a copy: what is done to the props afterwards changes nothing", () => {
    const env: Record<string, string> = { A: "1" };
    const command = ["sleep"];
    const ports = [{ host: 80 }];
    const labels: Record<string, string> = { role: "web" };
    const { manifest } = synthFleet((fleet) => {
      const host = new Host(fleet, "a", { address: "local", labels });
      new Pod(host, "web", {
        network: Network.host(),
        ports,
        labels,
        containers: { web: { image: "web:1", env, command } },
      });
      env["A"] = "2";
      command.push("infinity");
      for (const each of ports) each.host = 81;
      labels["role"] = "db";
    });
    const host = manifest.hosts["a"];
    expect(host?.labels).toEqual({ role: "web" });
    expect(host?.pods?.["web"]).toMatchObject({
      ports: [{ host: 80 }],
      labels: { role: "web" },
      containers: { web: { env: { A: "1" }, command: ["sleep"] } },
    });
  });

  test("can be added to, and not overwritten", () => {
    const { manifest } = synthFleet((fleet) => {
      const host = new Host(fleet, "a", { address: "local" });
      const data = new Volume(fleet, "data");
      const db = new Pod(host, "db", { containers: { db: { image: "db:1" } } });
      const pod = new Pod(host, "web", { network: Network.host() });
      const container = pod.addContainer("web", { image: "web:1", env: { A: "1" } });
      new Container(pod, "log", { image: "log:1" });
      container.addEnv("B", "2");
      container.addMount({ volume: data, path: "/data" });
      container.addMount({ volume: "scratch", path: "/tmp" });
      pod.addVolume("scratch", Volume.tmpfs());
      pod.addPort({ host: 80 });
      pod.addLabel("tier", "front");
      pod.addDependency(db);
      host.addLabel("zone", "1");
      expect(() => container.addEnv("A", "2")).toThrow('Cannot set env "A" of "shop/a/web/web"');
      expect(() => pod.addLabel("tier", "back")).toThrow('Cannot set label "tier"');
      expect(() => host.addLabel("zone", "2")).toThrow('Cannot set label "zone"');
    });
    expect(manifest.hosts["a"]?.labels).toEqual({ zone: "1" });
    expect(manifest.hosts["a"]?.pods?.["web"]).toEqual({
      containers: {
        web: {
          image: "web:1",
          env: { A: "1", B: "2" },
          mounts: [
            { volume: "data", path: "/data" },
            { volume: "scratch", path: "/tmp" },
          ],
        },
        log: { image: "log:1" },
      },
      dependsOn: ["db"],
      labels: { tier: "front" },
      network: { mode: "host" },
      ports: [{ host: 80 }],
      volumes: { data: { kind: "named", name: "data" }, scratch: { kind: "tmpfs" } },
    });
  });

  test("may be of any scope below the fleet", () => {
    const { manifest } = synthFleet((fleet) => {
      const host = new Host(fleet, "a", { address: "local" });
      const pod = new Pod(host, "web", { containers: { web: { image: "web:1" } } });
      expect(() => new Pod(fleet, "stray")).toThrow(
        'Cannot make Pod "shop/stray": it is in no host',
      );
      expect(() => new Container(host, "stray", { image: "x" })).toThrow("it is in no pod");
      expect(pod.containers).toHaveLength(1);
      fleet.node.tryRemoveChild("stray");
      host.node.tryRemoveChild("stray");
    });
    expect(Object.keys(manifest.hosts["a"]?.pods ?? {})).toEqual(["web"]);
    expect(() => new Host(temporaryApp(), "a", { address: "local" })).toThrow("it is in no fleet");
  });
});

test.each<unknown>([5, "", "  ", ["stowage"]])(
  "a command that no shell could run is a mistake of the fleet: %j",
  (command) => {
    const declare = () =>
      synthFleet((fleet) => new Host(fleet, "a", { address: "local" }), {
        command: command as string,
      });
    expect(declare).toThrow(/command: must be a command line.*leave it out/);
  },
);

test("strings of a manifest mean themselves, those of Terraform are escaped", () => {
  const { manifest, terraform } = synthFleet(
    (fleet) => {
      const host = new Host(fleet, "a", { address: "local" });
      new Pod(host, "web", {
        containers: { web: { image: "web:1", command: ["sh", "-c", "echo ${HOME} %{http_code}"] } },
      });
    },
    { command: "${HOME}/bin/stowage --format %{x}" },
  );
  expect(manifest.hosts["a"]?.pods?.["web"]?.containers["web"]?.command?.[2]).toBe(
    "echo ${HOME} %{http_code}",
  );
  expect(terraform).toHaveProperty(
    "resource.null_resource.stowage_apply.provisioner.0.local-exec.command",
    expect.stringMatching(/^\$\$\{HOME\}\/bin\/stowage --format %%\{x\} apply --yes /),
  );
});
