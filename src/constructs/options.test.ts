import { expect, test } from "vitest";
import { mistakesOf } from "../../test/support/synth-fleet.ts";
import {
  BridgeNetwork,
  Engine,
  type Fleet,
  type FleetProps,
  Host,
  Hosts,
  Image,
  Inventory,
  Network,
  Pod,
  Probe,
  Secret,
  Service,
  Size,
  Volume,
} from "../index.ts";

/** Options as JavaScript has them, where nothing looks at their names. */
const js = (options: object): never => options as never;
const image = "web:1";
const host = (fleet: Fleet, more: object = {}) =>
  new Host(fleet, "a", js({ address: "ssh://a", ...more }));
const pod = (fleet: Fleet, more: object) =>
  new Pod(host(fleet), "web", js({ containers: { web: { image } }, ...more }));
const container = (fleet: Fleet, more: object) =>
  pod(fleet, { containers: { web: { image, ...more } } });
const port = 80;

test.each<[string, (fleet: Fleet) => void, string]>([
  [
    "Host",
    (fleet) => host(fleet, { adress: 1 }),
    'shop/a: adress: unknown field "adress"; did you mean "address"?',
  ],
  [
    "its engine",
    (fleet) => host(fleet, { engine: Engine.containerd(js({ soket: "/x" })) }),
    'shop/a: engine.soket: unknown field "soket"; did you mean "socket"?',
  ],
  [
    "podman",
    (fleet) => host(fleet, { engine: Engine.podman(js({ runroot: "/x" })) }),
    'shop/a: engine.runroot: unknown field "runroot"; did you mean "runRoot"?',
  ],
  [
    "rkt",
    (fleet) => host(fleet, { engine: Engine.rkt(js({ socket: "/x" })) }),
    'shop/a: engine.socket: unknown field "socket"; its fields are program, dir, localConfig, systemConfig, stage1',
  ],
  [
    "sim",
    (fleet) => host(fleet, { engine: Engine.sim(js({ maxPod: 1 })) }),
    'shop/a: engine.maxPod: unknown field "maxPod"; did you mean "maxPods"?',
  ],
  [
    "its defaults",
    (fleet) => host(fleet, { defaults: js({ lables: {} }) }),
    'shop/a: defaults.lables: unknown field "lables"; did you mean "labels"?',
  ],
  [
    "Pod",
    (fleet) => pod(fleet, { hostName: "x" }),
    'shop/a/web: hostName: unknown field "hostName"; did you mean "hostname"?',
  ],
  [
    "its network",
    (fleet) => pod(fleet, { network: Network.cni("lan", js({ confDir: "/x" })) }),
    'shop/a/web: network.confDir: unknown field "confDir"; did you mean "configDir"?',
  ],
  [
    "its volumes",
    (fleet) => pod(fleet, { volumes: { m: Volume.tmpfs(js({ sizes: 1 })) } }),
    'shop/a/web: volumes.m.sizes: unknown field "sizes"; did you mean "size"?',
  ],
  [
    "its ports",
    (fleet) => pod(fleet, { network: Network.host(), ports: [{ host: 80, protocl: "tcp" }] }),
    'shop/a/web: ports[0].protocl: unknown field "protocl"; did you mean "protocol"?',
  ],
  [
    "its dependencies",
    (fleet) =>
      pod(fleet, {
        dependsOn: [
          {
            pod: new Pod(new Host(fleet, "b", { address: "ssh://b" }), "db", {
              containers: { db: { image } },
            }),
            conditon: "healthy",
          },
        ],
      }),
    'shop/a/web: dependsOn[0].conditon: unknown field "conditon"; did you mean "condition"?',
  ],
  [
    "Container",
    (fleet) => container(fleet, { comand: [] }),
    'shop/a/web/web: comand: unknown field "comand"; did you mean "command"?',
  ],
  [
    "its limits",
    (fleet) => container(fleet, { resources: { memroy: Size.mebibytes(64) } }),
    'shop/a/web/web: resources.memroy: unknown field "memroy"; did you mean "memory"?',
  ],
  [
    "its drain",
    (fleet) => container(fleet, { drain: { command: ["x"], wiat: 1 } }),
    'shop/a/web/web: drain.wiat: unknown field "wiat"; did you mean "wait"?',
  ],
  [
    "its logging",
    (fleet) => container(fleet, { logging: { maxsize: 1 } }),
    'shop/a/web/web: logging.maxsize: unknown field "maxsize"; did you mean "maxSize"?',
  ],
  [
    "its probe",
    (fleet) => container(fleet, { health: Probe.exec(js({ command: ["x"], retry: 3 })) }),
    'shop/a/web/web: health.retry: unknown field "retry"; its fields are command, interval, timeout, retries, startPeriod, whenUnhealthy',
  ],
  [
    "its probe of a page",
    (fleet) =>
      pod(fleet, {
        network: Network.host(),
        containers: { web: { image, health: Probe.http(js({ port, pth: "/" })) } },
      }),
    'shop/a/web/web: health.pth: unknown field "pth"; did you mean "path"?',
  ],
  [
    "its probe of a port",
    (fleet) =>
      pod(fleet, {
        network: Network.host(),
        containers: { web: { image, health: Probe.tcp(js({ port, intervall: 1 })) } },
      }),
    'shop/a/web/web: health.intervall: unknown field "intervall"; did you mean "interval"?',
  ],
  [
    "its mounts",
    (fleet) =>
      container(fleet, { mounts: [{ volume: Volume.tmpfs(js({ mod: "0700" })), path: "/m" }] }),
    'shop/a/web/web: mounts[0].volume.mod: unknown field "mod"; did you mean "mode"?',
  ],
  [
    "a mount",
    (fleet) =>
      container(fleet, { mounts: [{ volume: Volume.tmpfs(), path: "/m", readonly: true }] }),
    'shop/a/web/web: mounts[0].readonly: unknown field "readonly"; did you mean "readOnly"?',
  ],
  [
    "its files",
    (fleet) => container(fleet, { files: { "/f": { secret: Secret.fromEnv("A"), mod: "0444" } } }),
    'shop/a/web/web: files["/f"].mod: unknown field "mod"; did you mean "mode"?',
  ],
  [
    "Service",
    (fleet) => {
      host(fleet);
      new Service(
        fleet,
        "web",
        js({ on: Hosts.all(), containers: { web: { image } }, replica: 1 }),
      );
    },
    'shop/web: replica: unknown field "replica"; did you mean "replicas"?',
  ],
  [
    "its rollout",
    (fleet) => {
      host(fleet);
      new Service(fleet, "web", {
        on: Hosts.all(),
        containers: { web: { image } },
        rollout: js({ maxSurges: 1 }),
      });
    },
    'shop/web: rollout.maxSurges: unknown field "maxSurges"; did you mean "maxSurge"?',
  ],
  [
    "Image",
    (fleet) => {
      host(fleet);
      new Image(fleet, "i", js({ reference: "a:1", achive: "x" }));
    },
    'shop/i: achive: unknown field "achive"; did you mean "archive"?',
  ],
  [
    "Volume",
    (fleet) => {
      const volume = new Volume(fleet, "data", js({ uids: 1 }));
      pod(fleet, { volumes: { data: volume } });
    },
    'shop/data: uids: unknown field "uids"; did you mean "uid"?',
  ],
  [
    "BridgeNetwork",
    (fleet) => {
      host(fleet);
      new BridgeNetwork(fleet, "front", js({ subnets: "x" }));
    },
    'shop/front: subnets: unknown field "subnets"; did you mean "subnet"?',
  ],
])(
  "an option that nothing is made of is a mistake at its construct: of %s",
  (_, declare, mistake) => {
    expect(mistakesOf(declare)).toEqual([mistake]);
  },
);

test("so it is of a fleet, its defaults and its registries", () => {
  const registries = { "example.com": { mirrow: [] } };
  const defaults = { engine: Engine.sim(js({ fil: "/x" })), logging: { max: 1 } };
  const props: FleetProps = js({ id: "tester", former: "x", registries, defaults });
  expect(mistakesOf((fleet) => void host(fleet), props)).toEqual([
    'shop: former: unknown field "former"; did you mean "formerly"?',
    'shop: defaults.logging.max: unknown field "max"; its fields are mode, maxSize, maxFiles',
    'shop: defaults.engine.fil: unknown field "fil"; did you mean "file"?',
    expect.stringContaining('registries["example.com"].mirrow: unknown field "mirrow"'),
  ]);
});

test("an inventory refuses such an option at once", () => {
  const options = js({ fil: "/x" });
  expect(() => Inventory.fromSshConfig(options)).toThrow(
    'unknown field "fil"; did you mean "file"?',
  );
});
