import { resolve } from "node:path";
import {
  App,
  Duration,
  Engine,
  Fleet,
  Host,
  Image,
  Network,
  Pod,
  Probe,
  Size,
  Volume,
} from "stowage";

const port = Number(process.env["STOWAGE_HELLO_PORT"] ?? 18_080);

const podman = process.env["STOWAGE_PODMAN_DIR"];
const engines = {
  containerd: Engine.containerd({
    socket: process.env["STOWAGE_CONTAINERD_SOCKET"] ?? "/run/containerd/containerd.sock",
  }),
  podman: Engine.podman(
    podman === undefined
      ? {}
      : { root: `${podman}/root`, runRoot: `${podman}/run`, tmpDir: `${podman}/tmp` },
  ),
  rkt: Engine.rkt({
    program: process.env["STOWAGE_RKT"] ?? "rkt",
    dir: process.env["STOWAGE_RKT_DIR"] ?? "/var/lib/rkt",
  }),
  // a simulated host in a file: nothing runs
  sim: Engine.sim({
    file: resolve(process.env["STOWAGE_SIM_FILE"] ?? ".stowage/sim/machine.json"),
  }),
};
// the one word: the pods below are the same on each
const engine =
  engines[(process.env["STOWAGE_HELLO_ENGINE"] ?? "containerd") as keyof typeof engines];

const app = new App();
const fleet = new Fleet(app, "hello", {
  defaults: {
    engine,
    // busybox as process 1 does not end on SIGTERM: do not wait for it long
    stopGracePeriod: Duration.seconds(1),
  },
});

const here = new Host(fleet, "here", {
  address: "local",
  stateDir: process.env["STOWAGE_STATE_DIR"] ?? "/var/lib/stowage",
  runDir: process.env["STOWAGE_RUN_DIR"] ?? "/run/stowage",
});

const image = new Image(fleet, "image", {
  reference: "localhost/hello:1",
  layout: ".stowage/images/hello",
});

// a page on a port of the host, each look at it logged; each start is noted in a volume that outlives the pod
const starts = new Volume(fleet, "starts");
new Pod(here, "web", {
  network: Network.host(),
  ports: [{ host: port }],
  containers: {
    httpd: {
      image,
      command: ["sh", "-c", `date >> /starts/log; exec httpd -f -v -p ${port} -h /www`],
      mounts: [{ volume: starts, path: "/starts" }],
      resources: { memory: Size.mebibytes(64) },
      health: Probe.http({ port, path: "/", interval: Duration.milliseconds(100) }),
    },
  },
});

// two containers that see each other on their own loopback, and nothing else
new Pod(here, "clock", {
  containers: {
    server: { image, command: ["httpd", "-f", "-p", "127.0.0.1:8000", "-h", "/www"] },
    reader: {
      image,
      command: [
        "sh",
        "-c",
        'sleep 1; while echo "$(date +%T) $(wget -qO- http://127.0.0.1:8000/)"; do sleep 5; done',
      ],
    },
  },
});

app.synth();
