import {
  App,
  Duration,
  Engine,
  Fleet,
  Host,
  Hosts,
  Image,
  Network,
  Probe,
  Service,
  Size,
} from "stowage";

// name=user@address of each host. `npm run edge-fleet` makes some on this machine and sets it; yours would be written here.
const declared = process.env["EDGE_HOSTS"] ?? "edge-a=root@192.0.2.10 edge-b=root@192.0.2.11";

const app = new App();
const fleet = new Fleet(app, "edge", {
  // busybox as process 1 does not end on SIGTERM: do not wait for it long
  defaults: { stopGracePeriod: Duration.seconds(1) },
});
const image = new Image(fleet, "image", {
  reference: "localhost/hello:1",
  layout: "../hello-fleet/.stowage/images/hello",
});

for (const [index, words] of declared.split(" ").entries()) {
  const [name = "", target = ""] = words.split("=");
  new Host(fleet, name, {
    address: `ssh://${target}`,
    // every other one runs another engine: nothing below knows which
    engine: index % 2 === 0 ? Engine.containerd() : Engine.podman(),
    labels: { role: "edge" },
    // no host at the edge reaches a registry: images come over the same connection, and leave room on the line
    pull: "controller",
    pullPerSecond: Size.mebibytes(20),
  });
}

// a page on every host, proven to answer before it counts as changed
new Service(fleet, "web", {
  on: Hosts.labelled({ role: "edge" }),
  network: Network.host(),
  ports: [{ host: 8080 }],
  containers: {
    httpd: {
      image,
      command: ["httpd", "-f", "-p", "8080", "-h", "/www"],
      env: { RELEASE: process.env["EDGE_RELEASE"] ?? "1" },
      health: Probe.http({ port: 8080, path: "/", interval: Duration.milliseconds(200) }),
    },
  },
});

app.synth();
