import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { synthFleet } from "../../test/support/synth-fleet.ts";
import { Engine, Hosts, Service } from "../constructs/index.ts";
import { DiagnosticsError } from "../errors/index.ts";
import { Inventory } from "./index.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stw-inventory-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

function write(name: string, text: string): string {
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The hosts as a fleet's manifest has them, with a service on those that are chosen. */
function declared(inventory: Inventory, on: Hosts = Hosts.all(), engine = Engine.sim()) {
  const { manifest } = synthFleet((fleet) => {
    inventory.addTo(fleet, { engine });
    new Service(fleet, "web", { on, containers: { main: { image: "nginx:1" } } });
  });
  return manifest.hosts;
}

const YAML = `
version: stowage/inventory/v1
defaults: { engine: podman, labels: { site: fra } }
groups:
  web: { labels: { role: web }, hosts: [edge-b] }
  big: { engine: { kind: containerd, namespace: big }, stateDir: /data/stowage }
hosts:
  edge-a: ssh://ops@edge-a.example.net
  edge-b: { address: "ssh://edge-b", labels: { site: ams } }
  edge-c:
    address: local
    groups: [web, big]
`;

describe("a file", () => {
  test("says addresses, labels, groups and engines; a host over its groups, those over the defaults", () => {
    const inventory = Inventory.fromFile(write("hosts.yaml", YAML));
    expect(inventory.names).toEqual(["edge-a", "edge-b", "edge-c"]);
    const hosts = declared(inventory, Hosts.inGroup("web"));
    expect(hosts).toMatchObject({
      "edge-a": { address: "ssh://ops@edge-a.example.net", engine: { kind: "podman" } },
      "edge-b": { labels: { site: "ams", role: "web" }, engine: { kind: "podman" } },
      "edge-c": {
        labels: { site: "fra", role: "web" },
        engine: { kind: "containerd", namespace: "big" },
        stateDir: "/data/stowage",
      },
    });
    const placed = Object.keys(hosts).filter((host) => hosts[host]?.pods?.["web"] !== undefined);
    expect(placed).toEqual(["edge-b", "edge-c"]);
  });

  test("is JSON as well, and an engine of the code stands in where it names none", () => {
    const path = write(
      "hosts.json",
      JSON.stringify({ hosts: { a: "local", b: { address: "ssh://b", labels: { role: "db" } } } }),
    );
    const hosts = declared(
      Inventory.fromFile(path),
      Hosts.labelled({ role: "db" }),
      Engine.podman(),
    );
    expect(hosts["a"]).toEqual({ address: "local", engine: { kind: "podman" } });
    expect(Object.keys(hosts["b"]?.pods ?? {})).toEqual(["web"]);
  });

  const broken: readonly [what: string, text: string, expected: readonly string[]][] = [
    ["an unknown field", "hosts:\n  a:\n    adress: local\n", [":2 hosts.a", "address"]],
    ["a wrong address", "hosts:\n  a: local\n  b: ops@b\n", [":3 hosts.b", "ssh://user@host:port"]],
    ["a password", "hosts:\n  a: ssh://ops:hunter2@a\n", [":2 hosts.a"]],
    [
      "a group that is not there",
      "hosts:\n  a: { address: local, groups: [web] }\n",
      [":2 hosts.a.groups.0", 'no group "web"'],
    ],
    [
      "a host that is not there",
      "groups:\n  web:\n    hosts:\n      - b\nhosts: { a: local }\n",
      [":4 groups.web.hosts.0", 'no host "b"'],
    ],
    ["a name twice", "hosts:\n  a: local\n  a: local\n", [":3", "unique"]],
    ["a name that is none", "hosts:\n  Edge_A: local\n", ["hosts.Edge_A"]],
    [
      "an engine that there is not",
      "hosts:\n  a:\n    address: local\n    engine: docker\n",
      [":4 hosts.a.engine"],
    ],
    ["no YAML", "hosts: [\n", [":"]],
    ["another version", "version: 2\nhosts: {}\n", [":1 version"]],
  ];
  test.each(broken)("with %s is refused by file, line and path", (_, text, expected) => {
    const path = write("hosts.yaml", text);
    const error = (() => {
      try {
        return Inventory.fromFile(path);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(DiagnosticsError);
    for (const part of [path, ...expected]) expect(String(error)).toContain(part);
    expect(String(error)).not.toContain("hunter2");
  });

  test("that is not there, or folds itself up, is refused", () => {
    expect(() => Inventory.fromFile(join(dir, "none.yaml"))).toThrow(
      /Cannot read inventory ".*none\.yaml"/,
    );
    const bomb = [
      "a: &a [x]",
      ...Array.from(
        { length: 9 },
        (_, at) =>
          `b${at}: &b${at} [${Array(9)
            .fill(`*${at === 0 ? "a" : `b${at - 1}`}`)
            .join(",")}]`,
      ),
    ];
    expect(() => Inventory.fromFile(write("bomb.yaml", bomb.join("\n")))).toThrow(/alias count/);
  });
});

describe("an ssh configuration", () => {
  const CONFIG = `
Include DIR/more/*.conf "DIR/quoted file"
Host *.example.net !bad
  User everybody
host Edge-A edge-b
  HostName=192.0.2.1  # where it is
  User ops
  Port 2222
Match host nobody
  User none
Host *
  User all
`;

  function config(): string {
    write("more/1.conf", "Host included\n  HostName 192.0.2.7\n  User ann@corp\n");
    write("more/.hidden.conf", "Host hidden\n");
    write("quoted file", "Host quoted.example.net\n");
    return write("config", CONFIG.replaceAll("DIR", dir));
  }

  test("gives its hosts, with those of the files that it includes; where each leads ssh says", () => {
    const inventory = Inventory.fromSshConfig({
      file: config(),
      labels: { site: "fra" },
      groups: ["edge"],
    });
    expect(inventory.names).toEqual(["included", "quoted-example-net", "edge-a", "edge-b"]);
    const hosts = declared(inventory, Hosts.inGroup("edge"));
    expect(hosts["edge-b"]).toMatchObject({
      address: "ssh://ops@192.0.2.1:2222",
      labels: { site: "fra" },
    });
    expect(hosts["included"]?.address).toBe("ssh://ann%40corp@192.0.2.7");
    expect(Object.keys(hosts["edge-b"]?.pods ?? {})).toEqual(["web"]);
  });

  test("of the user's own gives aliases, so that all of it counts; some may be chosen and named", () => {
    config();
    mkdirSync(join(dir, ".ssh"));
    write(".ssh/config", "Host edge-a\n  ProxyJump hop\nHost hop\n");
    vi.stubEnv("HOME", dir);
    const inventory = Inventory.fromSshConfig({
      only: (alias) => alias !== "hop",
      name: (alias) => `my-${alias}`,
    });
    expect(inventory.names).toEqual(["my-edge-a"]);
    expect(declared(inventory)["my-edge-a"]?.address).toBe("ssh://edge-a");
  });

  test("is the one that hosts are reached by, where the environment names another", () => {
    vi.stubEnv("HOME", dir);
    vi.stubEnv("STOWAGE_SSH_CONFIG", write("other", "Host lab-a\n  ProxyJump hop\n"));
    const inventory = Inventory.fromSshConfig();
    expect(inventory.names).toEqual(["lab-a"]);
    expect(declared(inventory)["lab-a"]?.address).toBe("ssh://lab-a");
  });

  test("is refused by file and line where an entry can be no host", () => {
    const file = write("config", "Host ok\nHost jump\n  ProxyJump hop\n");
    expect(() => Inventory.fromSshConfig({ file })).toThrow(
      /Cannot use Host jump \(\S+config:2\) of the ssh configuration: it is reached by proxyjump/,
    );
    const named = write("named", "Host a_b\n");
    expect(() => Inventory.fromSshConfig({ file: named })).toThrow(/a host cannot be called "a_b"/);
    const twice = write("twice", "Host a.b\nHost a-b\n");
    expect(() => Inventory.fromSshConfig({ file: twice })).toThrow(
      /Host a\.b \(\S+twice:1\) is called "a-b" too/,
    );
    const wrong = write("wrong", "Host a\n  Prot 22\n");
    expect(() => Inventory.fromSshConfig({ file: wrong })).toThrow(/ssh -G cannot read it/);
    const circle = write("circle", `Include ${join(dir, "circle")}\n`);
    expect(() => Inventory.fromSshConfig({ file: circle })).toThrow(/more than 16 files deep/);
    expect(() => Inventory.fromSshConfig({ file: join(dir, "none") })).toThrow(
      /Cannot read ssh configuration/,
    );
  });
});
