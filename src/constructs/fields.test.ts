import { expect, test } from "vitest";
import * as z from "zod";
import { synthFleet } from "../../test/support/synth-fleet.ts";
import {
  BridgeNetwork,
  Cpu,
  Duration,
  Engine,
  Host,
  Hosts,
  Image,
  Network,
  Pod,
  Ports,
  Probe,
  RestartPolicy,
  Secret,
  Service,
  Size,
  Volume,
} from "../index.ts";
import { FleetManifest, unwrap } from "../model/index.ts";

test("every field of a manifest can be declared with constructs", () => {
  const { manifest } = synthFleet(
    (fleet) => {
      const digest = `sha256:${"a".repeat(64)}`;
      const image = new Image(fleet, "image", { reference: "web:1", layout: "/a", digest });
      const packed = new Image(fleet, "packed", { reference: "web:2", archive: "/b" });
      const data = new Volume(fleet, "data", { uid: 1, gid: 2, mode: "0750" });
      const host = new Host(fleet, "a", {
        address: "local",
        labels: { role: "web" },
        engine: Engine.containerd({
          socket: "/run/c.sock",
          namespace: "n",
          runtime: "io.containerd.runc.v2",
          snapshotter: "native",
        }),
        stateDir: "/s",
        runDir: "/r",
        defaults: { labels: { of: "host" } },
      });
      new Host(fleet, "b", {
        address: "local",
        engine: Engine.sim({
          file: "/sim.json",
          store: "second",
          latency: Duration.milliseconds(1),
          maxPods: 9,
          runOnce: true,
        }),
      });
      new Host(fleet, "c", {
        address: "local",
        engine: Engine.podman({
          program: "/usr/bin/podman",
          root: "/p/root",
          runRoot: "/p/run",
          tmpDir: "/p/tmp",
          networkConfigDir: "/p/networks",
          runtime: "crun",
        }),
      });
      new Host(fleet, "d", {
        address: "local",
        engine: Engine.rkt({
          program: "/opt/rkt",
          dir: "/d",
          localConfig: "/l",
          systemConfig: "/y",
          stage1: "coreos.com/rkt/stage1-fly:1.30.0",
        }),
        stateDir: "/s-rkt",
      });
      new Host(fleet, "e", {
        address: "ssh://e",
        engine: Engine.podman(),
        pull: "controller",
        pullPerSecond: Size.mebibytes(1),
      });
      const timing = {
        interval: Duration.seconds(1),
        timeout: Duration.seconds(1),
        retries: 3,
        startPeriod: Duration.minutes(1),
        whenUnhealthy: "report",
      } as const;
      const front = new BridgeNetwork(fleet, "front", {
        subnet: "10.1.0.0/24",
        internal: false,
        dns: ["10.1.0.53"],
      });
      new Pod(host, "bridged", {
        network: Network.bridge(front),
        ports: Ports.range(8080, 8081, { container: 80, hostIp: "127.0.0.1" }),
        containers: { main: { image: "web:1" } },
      });
      new Pod(host, "lan", {
        network: Network.cni("lan", { configDir: "/n", pluginDirs: ["/p"] }),
        containers: { main: { image: "web:1" } },
      });
      const db = new Pod(host, "db", {
        hostname: "db",
        sysctls: { "net.core.somaxconn": "9" },
        volumes: { data },
        containers: {
          db: {
            image: packed,
            mounts: [
              { volume: data, path: "/data", readOnly: true },
              { volume: Volume.bind("/etc/db"), path: "/etc/db" },
              { volume: Volume.tmpfs({ size: Size.mebibytes(1), mode: "1777" }), path: "/tmp" },
            ],
            health: Probe.exec({ command: ["true"], ...timing }),
          },
          migrate: { image: "migrate:1", init: true, completeWithin: Duration.seconds(30) },
          proxy: { image: "proxy:1", dependsOn: { db: "healthy" } },
        },
      });
      new Service(fleet, "surge", {
        on: Hosts.named("a"),
        rollout: { maxSurge: 1 },
        containers: { main: { image: "web:1" } },
      });
      new Service(fleet, "web", {
        on: Hosts.named("a"),
        rollout: {
          canary: 1,
          maxUnavailable: 2,
          pause: Duration.seconds(1),
          healthTime: Duration.seconds(2),
          abortAfter: 3,
          rollback: "all",
        },
        network: Network.host(),
        ports: [{ host: 80, container: 80, protocol: "udp" }],
        restart: RestartPolicy.onFailure(3),
        labels: { tier: "front" },
        dependsOn: [{ pod: db, condition: "started" }],
        replacement: "stop-first",
        containers: {
          tcp: { image, health: Probe.tcp({ port: 1, ...timing }) },
          web: {
            image,
            command: ["web"],
            args: ["--port"],
            env: {
              A: "1",
              B: Secret.fromEnv("B"),
              C: Secret.fromFile("b"),
              D: Secret.fromCommand(["pass", "show", "d"]),
            },
            files: {
              "/etc/a": "text",
              "/etc/b": { content: new Uint8Array([255]), uid: 1, gid: 2, mode: "0600" },
              "/etc/c": Secret.fromEnv("B"),
              "/etc/d": { secret: Secret.fromFile("/b"), mode: "0440" },
              "/etc/e": Secret.fromCommand(["./bin/give"]),
            },
            workingDir: "/srv",
            user: "app:app",
            additionalGroups: ["video"],
            readOnlyRootFilesystem: true,
            shm: Size.mebibytes(1),
            resources: {
              cpu: Cpu.cores(1.5),
              cpuShares: 512,
              cpuset: "0-1",
              memory: Size.mebibytes(64),
              memoryReservation: Size.mebibytes(32),
              memorySwap: Size.mebibytes(64),
              pidsMax: 10,
            },
            ulimits: { nofile: { soft: 1, hard: 2 } },
            oomScoreAdj: 5,
            security: {
              privileged: false,
              capabilitiesAdd: ["CAP_NET_ADMIN"],
              capabilitiesDrop: ["CAP_CHOWN"],
              seccomp: "unconfined",
              noNewPrivileges: true,
              unmaskPaths: false,
            },
            devices: [{ path: "/dev/fuse", containerPath: "/dev/f", permissions: "rw" }],
            health: Probe.http({ port: 80, path: "/up", ...timing }),
            logging: { mode: "file", maxSize: Size.mebibytes(1), maxFiles: 3 },
            stopSignal: "SIGQUIT",
            drain: { command: ["leave"], wait: Duration.seconds(1), timeout: Duration.seconds(2) },
            stopGracePeriod: Duration.seconds(3),
          },
        },
      });
    },
    { formerly: "store", registries: { "reg.lan": { plainHttp: true, mirrors: ["mirror.lan"] } } },
  );
  const declared = new Set(fieldsIn(FleetManifest, manifest));
  const known = fieldsOf(FleetManifest).filter((path) => !/\.ulimits\.(?!nofile)/.test(path));
  expect(known.length).toBeGreaterThan(90);
  // a pod's network has from the fleet's networks what it is
  const inherited = /\.network\.(?:subnet|internal|dns)/;
  expect(known.filter((path) => !declared.has(path) && !inherited.test(path))).toEqual([]);
});

test("what is not set takes the defaults of the host, then those of the fleet, field by field", () => {
  const { manifest } = synthFleet(
    (fleet) => {
      const host = new Host(fleet, "a", {
        address: "local",
        defaults: { labels: { zone: "1" }, logging: { maxFiles: 5 } },
      });
      new Pod(host, "web", {
        labels: { team: "mine" },
        containers: {
          plain: { image: "web:1" },
          own: {
            image: "web:1",
            stopGracePeriod: Duration.seconds(1),
            logging: { mode: "none" },
            security: { seccomp: "unconfined" },
          },
        },
      });
    },
    {
      defaults: {
        engine: Engine.sim({ maxPods: 3 }),
        labels: { team: "ours", zone: "0" },
        logging: { maxSize: Size.kibibytes(8), maxFiles: 2 },
        stopGracePeriod: Duration.seconds(30),
        security: { capabilitiesDrop: ["ALL"] },
      },
    },
  );
  expect(manifest.hosts["a"]?.engine).toEqual({ kind: "sim", maxPods: 3 });
  expect(manifest.hosts["a"]?.pods?.["web"]).toEqual({
    labels: { team: "mine", zone: "1" },
    containers: {
      plain: {
        image: "web:1",
        logging: { maxBytes: 8192, maxFiles: 5 },
        stopGracePeriodMs: 30_000,
        security: { capabilitiesDrop: ["ALL"] },
      },
      own: {
        image: "web:1",
        logging: { mode: "none", maxBytes: 8192, maxFiles: 5 },
        stopGracePeriodMs: 1000,
        security: { capabilitiesDrop: ["ALL"], seccomp: "unconfined" },
      },
    },
  });
});

/** Path of every field of a schema: names of maps and positions of lists as `*`, branches by kind. */
function fieldsOf(schema: z.ZodType, path = ""): readonly string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) {
    return inner.options.flatMap((option) =>
      fieldsOf(option as z.ZodType, branchPath(option, path)),
    );
  }
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape).flatMap(([key, field]) =>
      fieldsOf(field as z.ZodType, `${path}.${key}`),
    );
  }
  if (inner instanceof z.ZodRecord) return fieldsOf(inner.valueType as z.ZodType, `${path}.*`);
  if (inner instanceof z.ZodArray) return fieldsOf(inner.element as z.ZodType, `${path}.*`);
  return [path];
}

/** Those of these paths at which a value has something. */
function fieldsIn(schema: z.ZodType, value: unknown, path = ""): readonly string[] {
  if (value === undefined) return [];
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) {
    const option = inner.options.find((each) => (each as z.ZodType).safeParse(value).success);
    return fieldsIn(option as z.ZodType, value, branchPath(option, path));
  }
  if (inner instanceof z.ZodObject) {
    return Object.entries(value as object).flatMap(([key, item]) =>
      fieldsIn(inner.shape[key] as z.ZodType, item, `${path}.${key}`),
    );
  }
  const element =
    inner instanceof z.ZodRecord ? inner.valueType : inner instanceof z.ZodArray && inner.element;
  if (!element) return [path];
  return Object.values(value as object).flatMap((item) =>
    fieldsIn(element as z.ZodType, item, `${path}.*`),
  );
}

function branchPath(option: unknown, path: string): string {
  const kind = option instanceof z.ZodObject ? option.shape["kind"] : undefined;
  return kind instanceof z.ZodLiteral ? `${path}(${kind.value})` : path;
}
