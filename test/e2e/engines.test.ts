import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeHelloImage, PAGE_FIRST_LINE } from "../../scripts/lib/quickstart/hello-image.ts";
import { describeWithEngine, type ProvidedEngine } from "../set-up/describe-with-engine.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { runInExample } from "../support/example-cli.ts";
import { freePort } from "../support/free-port.ts";

/** From each of the three engines to each other one. */
const JOURNEY = ["containerd", "podman", "rkt", "containerd", "rkt", "podman", "containerd"];
const STARTS = "6f0c4b1e-3d0a-4c5e-9b57-2f4a8f0f6a11/hello/.volumes/starts/log";

describeWithEngine("containerd", "hello-fleet", (containerd) => {
  describeWithEngine("podman", "with one word changed", (podman) => {
    describeWithEngine("rkt", "moves over all engines", (rkt) =>
      tellJourney(containerd, podman, rkt),
    );
  });
});

test("hello-fleet on sim, where nothing runs: planned, applied, and then the plan is empty", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stw-hello-sim-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const main = await buildOwnCli(folder);
  makeHelloImage();
  const env = {
    CDKTF_OUTDIR: join(folder, "out"),
    STOWAGE_HELLO_ENGINE: "sim",
    STOWAGE_SIM_FILE: join(folder, "machine.json"),
  };
  for (const [status, ...words] of [
    [2, "plan"],
    [0, "apply", "--yes"],
    [0, "plan"],
  ] as const) {
    const run = runInExample(main, "hello-fleet", env, words);
    expect(run.status, run.said).toBe(status);
  }
  const { stdout } = runInExample(main, "hello-fleet", env, ["ps"]);
  expect(stdout).toMatch(/clock.*running[\s\S]*web.*running/);
}, 120_000);

function tellJourney(
  containerd: ProvidedEngine,
  podman: ProvidedEngine,
  rkt: ProvidedEngine,
): void {
  const folder = mkdtempSync(join(tmpdir(), "stw-journey-"));
  const state = join(folder, "lib");
  let [main, port] = ["", 0];

  beforeAll(async () => {
    main = await buildOwnCli(folder);
    port = await freePort();
    makeHelloImage();
  });
  afterAll(() => {
    stowage("containerd", "destroy", "--yes", "--volumes", "--yes-delete-data");
    spawnSync("umount", [join(folder, "podman/root/overlay")]);
    rmSync(folder, { recursive: true, force: true });
  });

  function stowage(engine: string, ...words: readonly string[]) {
    const env = {
      CDKTF_OUTDIR: join(folder, "out"),
      STOWAGE_HELLO_ENGINE: engine,
      STOWAGE_HELLO_PORT: String(port),
      STOWAGE_STATE_DIR: state,
      STOWAGE_RUN_DIR: join(folder, "run"),
      STOWAGE_CONTAINERD_SOCKET: containerd.address,
      STOWAGE_PODMAN_DIR: join(folder, "podman"),
      STOWAGE_RKT: rkt.address,
      STOWAGE_RKT_DIR: join(folder, "rkt"),
    };
    return runInExample(main, "hello-fleet", env, words);
  }

  /** What of the fleet is in the engines, as their own tools tell. */
  function found(): Readonly<Record<string, number>> {
    const lines = (file: string, ...args: readonly string[]) =>
      execFileSync(file, args, { encoding: "utf8" })
        .split("\n")
        .filter((line) => line.includes("stw-") || line.includes("running")).length;
    const store = ["root", "runRoot", "tmpDir"].map((name) =>
      join(folder, "podman", DIRS[name] ?? ""),
    );
    const [root = "", runRoot = "", tmpDir = ""] = store;
    return {
      containerd: lines("ctr", "-a", containerd.address, "-n", "stowage", "containers", "ls", "-q"),
      podman: lines(
        podman.address,
        ...["--root", root, "--runroot", runRoot, "--tmpdir", tmpDir],
        ...["ps", "--all", "--format", "{{.Names}}"],
      ),
      rkt: lines(rkt.address, `--dir=${join(folder, "rkt")}`, "list", "--full", "--no-legend"),
    };
  }

  test("each move is planned, done and proven; the page answers; nothing stays behind", async () => {
    let before: string | undefined;
    for (const [leg, engine] of JOURNEY.entries()) {
      const planned = stowage(engine, "plan");
      expect(planned.status, planned.said).toBe(2);
      if (before !== undefined) {
        expect(planned.stdout).toContain(`was ${before}`);
        expect(planned.stdout).toMatch(/> web +move from/);
      }
      const applied = stowage(engine, "apply", "--yes");
      expect(applied.status, applied.said).toBe(0);
      const again = stowage(engine, "plan");
      expect(again.status, again.said).toBe(0);
      const page = await fetch(`http://127.0.0.1:${port}/`);
      expect(await page.text()).toContain(PAGE_FIRST_LINE);
      // what a newcomer looks at next
      for (const [pod, line] of leg < 3 ? LOGGED : [])
        await expect.poll(() => stowage(engine, "logs", pod).stdout, POLL).toMatch(line);
      const starts = readFileSync(join(state, STARTS), "utf8").trim().split("\n");
      expect(starts).toHaveLength(leg + 1);
      const { [engine]: here, ...others } = found();
      expect(here, `on ${engine}`).toBeGreaterThanOrEqual(2);
      for (const [other, count] of Object.entries(others))
        expect(count, `left on ${other}`).toBe(0);
      before = engine;
    }
  }, 600_000);
}

/** A line that each pod of the example logs, within moments of its start. */
const LOGGED = [
  ["web", /response:200$/m],
  ["clock", /\d\d:\d\d <h1>Hello/],
] as const;
const POLL = { timeout: 60_000, interval: 200 };

const DIRS: Readonly<Record<string, string>> = { root: "root", runRoot: "run", tmpDir: "tmp" };
