import { describe, expect, test } from "vitest";
import { parseFleet } from "./parse-fleet.ts";
import { validateFleet } from "./validate-fleet.ts";

type Part = Readonly<Record<string, unknown>>;

const image = "web:1";
const host = (pods: Part, more: Part = {}) => ({
  address: "local",
  engine: { kind: "sim" },
  pods,
  ...more,
});
const pod = (more: Part = {}, container: Part = {}) => ({
  containers: { web: { image, ...container } },
  ...more,
});
const hostNetwork = { network: { mode: "host" } };

function findings(hosts: Part, more: Part = {}): readonly string[] {
  const fleet = { version: "stowage/v1", name: "shop", id: "me", hosts, ...more };
  return validateFleet(parseFleet(fleet, "the manifest")).map(
    ({ severity, path, summary }) => `${severity} ${path}: ${summary}`,
  );
}

test.each(["logs", "audit.log", "audit.log.1"])(
  "an id %s is refused: something else has that name in a stateDir",
  (id) => {
    expect(findings({ a: host({ web: pod() }) }, { id })).toEqual([
      `error id: ${id} is reserved: stateDir has something else of that name`,
    ]);
    expect(findings({ a: host({ web: pod() }) }, { id: "mine" })).toEqual([]);
  },
);

const bridge = (more: Part = {}) => ({ network: { mode: "bridge", name: "front", ...more } });
const networks = { front: { subnet: "10.1.0.0/24" } };

describe("validateFleet() of networks", () => {
  const declared = (pods: Part, more: Part = { networks }) => findings({ a: host(pods) }, more);

  test("accepts pods in one, with ports that lead elsewhere and those of one address", () => {
    const ports = [
      { host: 80, container: 8080 },
      { host: 81, hostIp: "127.0.0.1" },
      { host: 81, hostIp: "10.0.0.1" },
    ];
    const health = { kind: "http", port: 8080 };
    expect(declared({ web: pod({ ...bridge(), ports }, { health }) })).toEqual([]);
  });

  test.each<[string, Part, Part, string]>([
    [
      "a network that is not declared",
      bridge({ name: "frnt" }),
      { networks },
      'network.name: there is no network "frnt"',
    ],
    [
      "none at all",
      { network: { mode: "bridge" } },
      { networks },
      "network.name: mode bridge needs the name",
    ],
    [
      "a name without the mode",
      { network: { mode: "none", name: "front" } },
      { networks },
      "network.name: network mode none has no name",
    ],
    [
      "a subnet of the pod's own",
      bridge({ subnet: "10.2.0.0/24" }),
      { networks },
      "network.subnet: it differs from network",
    ],
    ...["0.0.0.0", "224.0.0.1", "255.255.255.255"].map((hostIp): [string, Part, Part, string] => [
      `a port of ${hostIp}, which no host has`,
      { ...bridge(), ports: [{ host: 80, hostIp }] },
      { networks },
      `ports[${hostIp}:80/tcp].hostIp: ${hostIp} cannot be an address of a host`,
    ]),
    [
      "a port into an internal one",
      { ...bridge(), ports: [{ host: 80 }] },
      { networks: { front: { internal: true } } },
      'ports[80/tcp]: network "front" is internal',
    ],
    [
      "one address in the host's network",
      { ...hostNetwork, ports: [{ host: 80, hostIp: "10.0.0.1" }] },
      {},
      "ports[10.0.0.1:80/tcp].hostIp: in the host's network",
    ],
    [
      "a port of all addresses and of one",
      { ...bridge(), ports: [{ host: 80 }, { host: 80, hostIp: "10.0.0.1" }] },
      { networks },
      "ports[80/tcp]: port 80/tcp of host a is declared twice",
    ],
  ])("refuses %s", (_, spec, more, said) => {
    expect(declared({ web: pod(spec) }, more).join("\n")).toContain(
      `error hosts.a.pods.web.${said}`,
    );
  });

  test.each(["0.0.0.0/8", "127.3.0.0/24", "224.0.0.5/29", "255.255.255.0/24"])(
    "refuses the subnet %s, of which no pod can have an address",
    (subnet) => {
      expect(declared({ web: pod(bridge()) }, { networks: { front: { subnet } } })).toEqual([
        `error networks.front.subnet: ${subnet} is not in a range for pods`,
      ]);
    },
  );

  test("refuses networks with addresses of each other, and warns of one that nothing is in", () => {
    const two = { front: { subnet: "10.1.0.0/16" }, back: { subnet: "10.1.2.0/24" } };
    expect(declared({ web: pod(bridge()) }, { networks: two })).toEqual([
      "error networks.back.subnet: 10.1.2.0/24 overlaps with network front (10.1.0.0/16)",
      "warning networks.back: no pod uses it",
    ]);
  });

  test("refuses a hostname that is the name of another pod in the network, where it would lead to both", () => {
    const web = pod({ ...bridge(), hostname: "db" });
    expect(declared({ web, db: pod(bridge()) })).toEqual([
      'error hosts.a.pods.web.hostname: "db" is the name of another pod in network "front": the name would resolve to both',
    ]);
    const other = { networks: { ...networks, back: { subnet: "10.2.0.0/24" } } };
    expect(declared({ web, db: pod(bridge({ name: "back" })) }, other)).toEqual([]);
    expect(declared({ web, db: pod() })).toEqual([]);
    expect(declared({ db: web })).toEqual([]);
  });

  test("a pod has what its network is, so that a change of that is one of the pod", () => {
    const fleet = { version: "stowage/v1", name: "shop", id: "me", networks };
    const { hosts } = parseFleet({ ...fleet, hosts: { a: host({ web: pod(bridge()) }) } }, "it");
    expect(hosts["a"]?.pods?.["web"]?.network).toEqual({
      mode: "bridge",
      name: "front",
      subnet: "10.1.0.0/24",
    });
  });
});

describe("validateFleet() accepts", () => {
  test.each<[string, Part, Part?]>([
    [
      "ports in the host's network",
      {
        a: host({
          web: pod({ ...hostNetwork, ports: [{ host: 80 }, { host: 80, protocol: "udp" }] }),
        }),
      },
    ],
    [
      "one port on two hosts",
      {
        a: host({ web: pod({ ...hostNetwork, ports: [{ host: 80 }] }) }),
        b: host({ web: pod({ ...hostNetwork, ports: [{ host: 80 }] }) }),
      },
    ],
    [
      "a chain of dependencies",
      {
        a: host({ x: pod({ dependsOn: ["y", "b/z"] }), y: pod({ dependsOn: ["b/z"] }) }),
        b: host({ z: pod() }),
      },
    ],
    [
      "one volume of two pods",
      {
        a: host(
          Object.fromEntries(
            ["x", "y"].map((name) => [
              name,
              pod(
                { volumes: { d: { kind: "named", name: "d", uid: 1 } } },
                { mounts: [{ volume: "d", path: "/d" }] },
              ),
            ]),
          ),
        ),
      },
    ],
    [
      "drop ALL and add one",
      {
        a: host({
          web: pod({}, { security: { capabilitiesDrop: ["ALL"], capabilitiesAdd: ["CAP_CHOWN"] } }),
        }),
      },
    ],
    [
      "no swap",
      {
        a: host({
          web: pod({}, { resources: { memoryBytes: 9_000_000, memorySwapBytes: 9_000_000 } }),
        }),
      },
    ],
    [
      "an image that is used",
      { a: host({ web: pod() }) },
      { images: { [image]: { layout: "x" } } },
    ],
    [
      "two real engines of one machine in folders of their own",
      {
        a: host({}, { engine: { kind: "containerd" } }),
        b: host({}, { engine: { kind: "containerd", namespace: "b" }, stateDir: "/b" }),
      },
    ],
  ])("%s", (_, hosts, more) => {
    expect(findings(hosts, more)).toEqual([]);
  });
});

describe("validateFleet() finds", () => {
  const web = "hosts.a.pods.web";
  const inPod = (more: Part, container?: Part) => ({ a: host({ web: pod(more, container) }) });

  test.each<[string, Part, string]>([
    [
      "a port without the host's network",
      inPod({ ports: [{ host: 80 }] }),
      `error ${web}.ports[80/tcp]: a pod with network mode none cannot publish`,
    ],
    [
      "ports that differ",
      inPod({ ...hostNetwork, ports: [{ host: 80, container: 8080, protocol: "udp" }] }),
      `error ${web}.ports[80/udp]: host port 80 cannot map to container port 8080`,
    ],
    [
      "a port declared twice",
      inPod({ ...hostNetwork, ports: [{ host: 80 }, { host: 80, protocol: "tcp" }] }),
      `error ${web}.ports[80/tcp]: port 80/tcp of host a is declared twice`,
    ],
    [
      "start-first with ports",
      inPod({ ...hostNetwork, ports: [{ host: 80 }], replacement: "start-first" }),
      `error ${web}.replacement: the new pod cannot start while`,
    ],
    [
      "an argument that no kernel takes",
      inPod({}, { args: ["short", "é".repeat(65_536)] }),
      `error ${web}.containers.web.args[1]: it has 131073 bytes with its terminating NUL`,
    ],
    [
      "a variable that no kernel takes",
      inPod({}, { env: { OF: "x".repeat(131_070) } }),
      `error ${web}.containers.web.env.OF: it has 131074 bytes with its terminating NUL`,
    ],
    [
      "a volume that is none",
      inPod({}, { mounts: [{ volume: "d", path: "/d" }] }),
      `error ${web}.containers.web.mounts[/d]: there is no volume "d"`,
    ],
    [
      "a path mounted twice",
      inPod(
        { volumes: { d: { kind: "tmpfs" } } },
        {
          mounts: [
            { volume: "d", path: "/d" },
            { volume: "d", path: "/d" },
          ],
        },
      ),
      `error ${web}.containers.web.mounts[/d]: /d is mounted more than once`,
    ],
    [
      "a volume at the root",
      inPod({ volumes: { d: { kind: "tmpfs" } } }, { mounts: [{ volume: "d", path: "/" }] }),
      `error ${web}.containers.web.mounts[/]: a volume cannot be mounted`,
    ],
    [
      "a volume that nobody mounts",
      inPod({ volumes: { d: { kind: "tmpfs" } } }),
      `warning ${web}.volumes.d: no container mounts it`,
    ],
    [
      "a device given twice",
      inPod({}, { devices: [{ path: "/dev/a", containerPath: "/dev/b" }, { path: "/dev/b" }] }),
      `error ${web}.containers.web.devices[/dev/b]: /dev/b is given more than once`,
    ],
    [
      "swap without memory",
      inPod({}, { resources: { memorySwapBytes: 9 } }),
      `error ${web}.containers.web.resources.memorySwapBytes: a limit of memory and swap together needs`,
    ],
    [
      "swap below memory",
      inPod({}, { resources: { memorySwapBytes: 9, memoryBytes: 9_000_000 } }),
      `error ${web}.containers.web.resources.memorySwapBytes: 9 is less than memoryBytes`,
    ],
    [
      "a reservation above memory",
      inPod({}, { resources: { memoryReservationBytes: 9_000_001, memoryBytes: 9_000_000 } }),
      `error ${web}.containers.web.resources.memoryReservationBytes: 9000001 is more`,
    ],
    [
      "a soft limit above the hard one",
      inPod({}, { ulimits: { core: { soft: 2, hard: 1 } } }),
      `error ${web}.containers.web.ulimits.core: the soft limit 2 is above`,
    ],
    [
      "a capability both ways",
      inPod({}, { security: { capabilitiesAdd: ["CAP_CHOWN"], capabilitiesDrop: ["CAP_CHOWN"] } }),
      `error ${web}.containers.web.security: CAP_CHOWN is both added and dropped`,
    ],
    [
      "privileged with a drop",
      inPod({}, { security: { privileged: true, capabilitiesDrop: ["ALL"] } }),
      `error ${web}.containers.web.security.capabilitiesDrop: a privileged container has every`,
    ],
    [
      "privileged with a filter",
      inPod({}, { security: { privileged: true, seccomp: "default" } }),
      `error ${web}.containers.web.security.seccomp: a privileged container has every`,
    ],
    [
      "a probe that cannot be reached",
      inPod({}, { health: { kind: "tcp", port: 80 } }),
      `error ${web}.containers.web.health: a probe of kind tcp cannot reach a pod`,
    ],
    [
      "an end for a new start that nobody would make",
      inPod(
        { ...hostNetwork, restart: { policy: "on-failure" } },
        { health: { kind: "tcp", port: 80, whenUnhealthy: "restart" } },
      ),
      `error ${web}.containers.web.health.whenUnhealthy: it stops the pod to start it again, and with restart policy on-failure`,
    ],
    [
      "a drain of nothing",
      inPod({}, { drain: {} }),
      `error ${web}.containers.web.drain: neither command nor waitMs is set`,
    ],
    [
      "a drain without the time for it",
      inPod({}, { drain: { waitMs: 40_000 } }),
      `error ${web}.containers.web.drain.waitMs: it cannot wait 40000 ms in the 30000 ms`,
    ],
    [
      "retries of another policy",
      inPod({ restart: { policy: "always", maxRetries: 3 } }),
      `error ${web}.restart.maxRetries: the policy always has no number`,
    ],
    [
      "a parameter of the host's network",
      inPod({ ...hostNetwork, sysctls: { "net.core.somaxconn": "9" } }),
      `error ${web}.sysctls["net.core.somaxconn"]: net.core.somaxconn would change`,
    ],
    [
      "a rollout of no service",
      inPod({ rollout: { canary: 1 } }),
      `warning ${web}.rollout: a rollout without a service`,
    ],
    [
      "two generations of a pod with a port of the host",
      inPod({ ...hostNetwork, ports: [{ host: 80 }], service: "web", rollout: { maxSurge: 1 } }),
      `error ${web}.rollout.maxSurge: two generations cannot run at once: only one process may have host port 80/tcp`,
    ],
    [
      "two generations of a pod that is replaced stop-first",
      inPod({ replacement: "stop-first", service: "web", rollout: { maxSurge: 1 } }),
      `error ${web}.rollout.maxSurge: the pod is replaced stop-first`,
    ],
    [
      "a dependency on nothing",
      inPod({ dependsOn: ["b/db"] }),
      `error ${web}.dependsOn: there is no pod "b/db"`,
    ],
    [
      "a pod that waits for itself",
      inPod({ dependsOn: ["web"] }),
      `error ${web}.dependsOn: pods wait for each other in a circle: a/web -> a/web`,
    ],
    ["no host", {}, "error hosts: the fleet has no host"],
  ])("%s", (_, hosts, message) => {
    expect(findings(hosts)).toEqual([expect.stringContaining(message)]);
  });

  test("a port that two pods want, at each of them", () => {
    const ports = { ...hostNetwork, ports: [{ host: 80 }] };
    expect(findings({ a: host({ x: pod(ports), y: pod(ports) }) })).toEqual(
      ["x", "y"].map(
        (name) =>
          `error hosts.a.pods.${name}.ports[80/tcp]: port 80/tcp of host a is wanted by the pods x and y`,
      ),
    );
  });

  test("a port that pods of two hosts of one machine want, at each of them", () => {
    const x = pod({ ...hostNetwork, ports: [{ host: 80 }] });
    const podman = (root: string, address = "ssh://edge") => ({
      address,
      engine: { kind: "podman", root, runRoot: root, tmpDir: root },
      stateDir: root,
      pods: { x },
    });
    expect(findings({ a: podman("/a"), b: podman("/b") })).toEqual(
      ["a", "b"].map(
        (name) =>
          `error hosts.${name}.pods.x.ports[80/tcp]: port 80/tcp of hosts a and b, which are one machine, is wanted by the pods a/x and b/x`,
      ),
    );
    expect(findings({ a: podman("/a"), b: podman("/b", "ssh://other") })).toEqual([]);
    expect(findings({ a: host({ x }), b: host({ x }) })).toEqual([]);
  });

  test.each([
    ["local", "ssh://localhost"],
    ["local", "ssh://ops@127.0.0.1:22"],
    ["local", "ssh://[::1]/"],
    ["local", "ssh://[0:0:0:0:0:0:0:1]"],
    ["local", "ssh://[::ffff:127.0.0.1]"],
    ["local", "ssh://0.0.0.0"],
    ["ssh://LOCALHOST:2222", "ssh://[::1]:2222"],
    ["ssh://ops@edge", "ssh://root%40corp@edge:22"],
    ["ssh://edge.example.com", "ssh://Edge.example.com/"],
    ["ssh://10.0.0.7", "ssh://[::FFFF:0a00:7]"],
    ["ssh://[2001:db8::1]:22", "ssh://[2001:DB8:0::0:1]"],
    ["ssh://[fe80::1%eth0]", "ssh://[FE80:0::1%25eth0]"],
  ])("one port of the machine that %s and %s are", (one, other) => {
    const x = pod({ ...hostNetwork, ports: [{ host: 80 }] });
    const at = (address: string, root: string) => ({
      ...{ address, engine: { kind: "podman", root, runRoot: root, tmpDir: root } },
      ...{ stateDir: root, pods: { x } },
    });
    expect(findings({ a: at(one, "/a"), b: at(other, "/b") })).toHaveLength(2);
    expect(findings({ a: at(one, "/a"), b: at(other, "/a") })).toContainEqual(
      expect.stringContaining("hosts.a.address: the hosts a and b are one and the same"),
    );
  });

  test.each([
    ["local", "ssh://localhost:2222"],
    ["local", "ssh://127.0.0.2"],
    ["ssh://edge", "ssh://edge:2222"],
    ["ssh://10.0.0.7", "ssh://[::10.0.0.7]"],
    ["ssh://[fe80::1%eth0]", "ssh://[fe80::1%eth1]"],
  ])("nothing of %s and %s, which may be two machines", (one, other) => {
    const x = pod({ ...hostNetwork, ports: [{ host: 80 }] });
    const at = (address: string) => host({ x }, { address, engine: { kind: "containerd" } });
    expect(findings({ a: at(one), b: at(other) })).toEqual([]);
  });

  test("an engine of one machine that another user reaches; each user has a podman of their own", () => {
    const at = (user: string, kind: string) =>
      host({}, { address: `ssh://${user}@edge`, engine: { kind }, stateDir: `/srv/${user}` });
    const shared = (kind: string) => findings({ a: at("ann", kind), b: at("ben", kind) });
    expect(shared("podman")).toEqual([]);
    expect(shared("containerd")[0]).toContain("share one engine of one machine");
  });

  test("each circle once, as a chain", () => {
    const waiting = {
      a: host({ x: pod({ dependsOn: ["y"] }), y: pod({ dependsOn: ["b/z"] }) }),
      b: host({ z: pod({ dependsOn: ["a/x", "own"] }), own: pod({ dependsOn: ["own"] }) }),
    };
    expect(findings(waiting)).toEqual([
      "error hosts.a.pods.x.dependsOn: pods wait for each other in a circle: a/x -> a/y -> b/z -> a/x",
      "error hosts.b.pods.own.dependsOn: pods wait for each other in a circle: b/own -> b/own",
    ]);
  });

  test("no circle in a chain as long as a fleet", () => {
    const pods = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [
        `p${index}`,
        pod(index === 0 ? {} : { dependsOn: [`p${index - 1}`] }),
      ]),
    );
    const manifest = parseFleet(
      { version: "stowage/v1", name: "shop", id: "me", hosts: { a: host(pods) } },
      "it",
    );
    expect(validateFleet(manifest)).toEqual([]);
  });

  test("a volume with two owners, at each use", () => {
    const use = (uid: number) =>
      pod(
        { volumes: { d: { kind: "named", name: "d", uid } } },
        { mounts: [{ volume: "d", path: "/d" }] },
      );
    expect(findings({ a: host({ x: use(1), y: use(2) }) })).toEqual(
      ["x", "y"].map((name) =>
        expect.stringContaining(`hosts.a.pods.${name}.volumes.d: volume "d" of host a is declared`),
      ),
    );
  });

  test.each<[string, Part, Part, string]>([
    [
      "one machine twice",
      { engine: { kind: "containerd" } },
      { engine: { kind: "containerd" }, stateDir: "/var/lib/stowage" },
      "hosts.a.address: the hosts a and b are one and the same",
    ],
    [
      "one engine of one machine twice",
      { engine: { kind: "containerd", namespace: "stowage" }, stateDir: "/srv/a" },
      { engine: { kind: "containerd" }, stateDir: "/srv/b" },
      "hosts.a.engine: the hosts a and b share one engine of one machine",
    ],
    [
      "one simulated host twice",
      { engine: { kind: "sim", file: "/f" } },
      { engine: { kind: "sim", file: "/f" } },
      "hosts.a.engine.file: the hosts a and b are one and the same",
    ],
  ])("%s", (_, a, b, message) => {
    expect(findings({ a: host({}, a), b: host({}, b) })[0]).toContain(message);
  });

  test("an image that nobody uses, and how it is written elsewhere", () => {
    const unused = { images: { "docker.io/library/web:1": { layout: "x" } } };
    const [found] = validateFleet(
      parseFleet(
        {
          version: "stowage/v1",
          name: "shop",
          id: "me",
          hosts: { a: host({ web: pod() }) },
          ...unused,
        },
        "it",
      ),
    );
    expect(found).toMatchObject({
      severity: "warning",
      path: 'images["docker.io/library/web:1"]',
      detail: 'containers write it as "web:1": use one form',
    });
  });

  test("a digest that differs from the reference's", () => {
    const [one, other] = ["a", "b"].map((digit) => `sha256:${digit.repeat(64)}`);
    const images = { [`web@${one}`]: { digest: other } };
    expect(findings({ a: host({ web: pod({}, { image: `web@${one}` }) }) }, { images })).toEqual([
      expect.stringContaining("it differs from the digest of the reference"),
    ]);
  });

  test("registries that are their own mirror, named twice, or of no image", () => {
    const registries = {
      "docker.io": { mirrors: ["docker.io", "a.lan"] },
      "a.lan": { mirrors: ["b.lan", "b.lan"] },
      "c.lan": { plainHttp: true },
    };
    expect(findings({ a: host({ web: pod() }) }, { registries })).toEqual([
      'error registries["docker.io"].mirrors: it is its own mirror',
      'error registries["a.lan"].mirrors: it names one mirror twice',
      'warning registries["c.lan"]: no image comes from it',
    ]);
  });

  test("a former name that is the present one", () => {
    expect(findings({ a: host({}) }, { formerly: "shop" })).toEqual([
      "error formerly: it is the fleet's current name",
    ]);
  });
});
