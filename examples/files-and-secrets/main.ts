import { App, Engine, Fleet, Host, Pod, Secret } from "stowage";

// Which engine it is makes no difference to files and secrets.
const engine = process.env["STOWAGE_ENGINE"] === "podman" ? Engine.podman() : Engine.containerd();

const app = new App();
const fleet = new Fleet(app, "files-and-secrets", { defaults: { engine } });
const host = new Host(fleet, "here", { address: "local" });

new Pod(host, "clock", {
  containers: {
    clock: {
      image: "docker.io/library/busybox:1.37",
      user: "1000:1000",
      // says the time as its file wants it; the password is shown to nobody
      command: ["sh", "-c", 'while :; do date "$(cat /etc/clock/format)"; sleep 5; done'],
      files: {
        // read when the app is synthesized, and a part of the manifest from then on
        "/etc/clock/format": { file: "clock-format" },
        // in the host's memory, readable by the container's user alone
        "/run/secrets/password": Secret.fromEnv("CLOCK_PASSWORD"),
        "/run/secrets/machine": Secret.fromCommand(["cat", "/proc/sys/kernel/random/boot_id"]),
      },
    },
  },
});

app.synth();
