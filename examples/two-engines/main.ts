import {
  App,
  Duration,
  Engine,
  Fleet,
  Host,
  Hosts,
  Image,
  Network,
  Pod,
  Probe,
  Service,
} from "stowage";

// Two hosts that differ in one word. Both are this machine here, so the example needs no second one.
const podman = process.env["STOWAGE_PODMAN_DIR"] ?? "/var/lib/two-engines";
// and each has a namespace and a store of its own, as if they were two
const daemon = (host: string) =>
  Engine.containerd({
    socket: process.env["STOWAGE_CONTAINERD_SOCKET"] ?? "/run/containerd/containerd.sock",
    namespace: `two-engines-${host}`,
  });
const daemonless = (host: string) =>
  Engine.podman({
    root: `${podman}/${host}/root`,
    runRoot: `${podman}/${host}/runroot`,
    tmpDir: `${podman}/${host}/tmp`,
  });
// set, each host gets the engine of the other one: plan and apply move all pods both ways
const isSwapped = process.env["STOWAGE_SWAP_ENGINES"] !== undefined;

const stateDir = process.env["STOWAGE_STATE_DIR"] ?? "/var/lib/stowage";
const runDir = process.env["STOWAGE_RUN_DIR"] ?? "/run/stowage";
const port = Number(process.env["STOWAGE_PAGE_PORT"] ?? 18_090);

const app = new App();
const fleet = new Fleet(app, "two-engines", {
  // busybox as process 1 does not end on SIGTERM: do not wait for it long
  defaults: { stopGracePeriod: Duration.seconds(1) },
});
const image = new Image(fleet, "image", {
  reference: "localhost/hello:1",
  layout: "../hello-fleet/.stowage/images/hello",
});

for (const [index, name] of ["left", "right"].entries()) {
  const host = new Host(fleet, name, {
    address: "local",
    engine: (index === 0) === isSwapped ? daemonless(name) : daemon(name),
    stateDir: `${stateDir}/${name}`,
    runDir: `${runDir}/${name}`,
  });
  // the same page on each, on a port of its own
  new Pod(host, "web", {
    network: Network.host(),
    ports: [{ host: port + index }],
    containers: {
      httpd: {
        image,
        command: ["httpd", "-f", "-p", String(port + index), "-h", "/www"],
        env: { HOST: name },
        health: Probe.http({ port: port + index, path: "/", interval: Duration.milliseconds(100) }),
      },
    },
  });
}

// one declaration for both
new Service(fleet, "heartbeat", {
  on: Hosts.all(),
  containers: {
    main: { image, command: ["sh", "-c", "while sleep 5; do date +%T; done"] },
  },
});

app.synth();
