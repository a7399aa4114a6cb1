import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseFleet, validateFleet } from "../model/index.ts";

const ROOT = resolve(import.meta.dirname, "../..");

const CONTAINERD = { kind: "containerd", socket: "/run/mine.sock" };
const PODMAN = { kind: "podman", root: "/srv/p/root", runRoot: "/srv/p/run", tmpDir: "/srv/p/tmp" };

test.each([
  ["containerd", CONTAINERD],
  ["podman", PODMAN],
  ["rkt", { kind: "rkt", program: "/srv/rkt", dir: "/srv/r" }],
  ["sim", { kind: "sim", file: "/srv/sim.json" }],
])(
  "the example hello-fleet synthesizes with %s, and its surroundings can be set",
  {
    timeout: 60_000,
  },
  (engine, config) => {
    const outdir = mkdtempSync(join(tmpdir(), "stw-hello-"));
    onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
    const { status, stderr } = spawnSync(join(ROOT, "node_modules/.bin/tsx"), ["main.ts"], {
      cwd: join(ROOT, "examples/hello-fleet"),
      env: {
        ...process.env,
        CDKTF_OUTDIR: outdir,
        STOWAGE_HELLO_ENGINE: engine,
        STOWAGE_CONTAINERD_SOCKET: "/run/mine.sock",
        STOWAGE_PODMAN_DIR: "/srv/p",
        STOWAGE_RKT: "/srv/rkt",
        STOWAGE_RKT_DIR: "/srv/r",
        STOWAGE_SIM_FILE: "/srv/sim.json",
        STOWAGE_STATE_DIR: "/srv/state",
        STOWAGE_RUN_DIR: "/srv/run",
        STOWAGE_HELLO_PORT: "18081",
      },
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    const text = readFileSync(join(outdir, "stacks/hello/fleet.json"), "utf8");
    const manifest = parseFleet(JSON.parse(text), "the example");
    expect(validateFleet(manifest)).toEqual([]);
    expect(manifest.hosts["here"]).toMatchObject({
      engine: config,
      stateDir: "/srv/state",
      runDir: "/srv/run",
      pods: {
        web: { ports: [{ host: 18_081 }] },
        clock: { containers: { server: {}, reader: {} } },
      },
    });
  },
);
