import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isConverged } from "../../src/plan/index.ts";
import { runOnce } from "../../src/reconcile/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";

const RKT = {
  security: { privileged: true, seccomp: "unconfined", noNewPrivileges: false, unmaskPaths: true },
};

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `a command that is run once on ${kind}`, (engine) => {
    const pods = {
      web: {
        volumes: { data: { kind: "named", name: "data" } },
        containers: {
          main: {
            image: "app:1",
            command: ["/bin/sh", "-c", "echo up; sleep 100000"],
            stopSignal: "SIGKILL",
            env: { A: "1", TOKEN: { secret: { fromEnv: "TOKEN_HERE" } } },
            mounts: [{ volume: "data", path: "/data" }],
            ...(kind === "rkt" ? RKT : {}),
          },
        },
      },
    };

    const open = () => new RealFleet((places) => [openLab(kind, engine, places)]);

    async function applied(fleet: ReturnType<typeof open>) {
      fleet.environment = { ...process.env, TOKEN_HERE: "s3cret" };
      fleet.image("app:1");
      const manifest = fleet.manifest(pods);
      // an engine makes things with its first use
      for (const each of [manifest, fleet.manifest({}), manifest])
        expect((await fleet.apply(each)).status).toBe("done");
      return manifest;
    }

    test("has the pod's volume, environment and secrets, and leaves only what it wrote", async () => {
      await using fleet = open();
      const manifest = await applied(fleet);
      const pid = await fleet.pidOf(manifest, "web", "main");
      const traces = await fleet.traces();
      const lines: string[] = [];
      const script =
        "echo $A $B $TOKEN; echo kept > /data/once; cat /name; echo; seq 1 300; printf last; exit 9";
      const code = await runOnce({
        ...fleet.requestOf(manifest),
        host: "here",
        pod: "web",
        once: {
          container: "main",
          entrypoint: "/bin/sh",
          args: ["-c", script],
          env: { B: "2" },
        },
        appliedBy: "test@desk",
        lockTimeoutMs: 10_000,
        onEvent: () => {},
        onStarted: () => {},
        output: { kind: "lines", onLine: async ({ text }) => void lines.push(text) },
        onLeft: (pod, reason) => expect.fail(`${pod} is left: ${reason}`),
      });
      const numbers = Array.from({ length: 300 }, (_, index) => String(index + 1));
      expect(lines).toEqual(["1 2 s3cret", "app:1", ...numbers, "last"]);
      expect(code).toBe(9);
      const written = join(fleet.host.stateDir, "owner-1/shop/.volumes/data/once");
      expect(readFileSync(written, "utf8")).toBe("kept\n");
      const { files = [], ...others } = await fleet.traces();
      expect(others).toEqual({ ...traces, files: undefined });
      expect(files.filter((file) => !traces["files"]?.includes(file))).toEqual([
        "state/owner-1/shop/.volumes/data/once",
      ]);
      expect(await fleet.pidOf(manifest, "web", "main")).toBe(pid);
      expect(isConverged(await fleet.plan(manifest))).toBe(true);
    }, 180_000);

    test("with streams it gets its input, the image's entry point and each byte apart, and leaves nothing", async () => {
      await using fleet = open();
      fleet.image("tool:1", 0, {
        entrypoint: ["/bin/sh", "-c", 'echo "entered: $*" >&2; "$@"', "entry"],
        cmd: ["true"],
      });
      const manifest = await applied(fleet);
      const { main } = pods.web.containers;
      const { command: _, ...tool } = { ...main, image: "tool:1" };
      const next = fleet.manifest({ web: { ...pods.web, containers: { main: tool } } });
      const input = Buffer.alloc(300_000, "0123456789abcdef\n");
      const useTool = async (env: Readonly<Record<string, string>> = {}) => {
        const heard = { out: [] as Uint8Array[], err: [] as Uint8Array[] };
        const code = await runOnce({
          ...fleet.requestOf(next),
          host: "here",
          pod: "web",
          once: {
            container: "main",
            args: ["/bin/sh", "-c", "printf '%s|' $A $TOKEN $(cat /name); cat; exit 9"],
            env,
          },
          appliedBy: "test@desk",
          lockTimeoutMs: 10_000,
          onEvent: () => {},
          onStarted: () => {},
          output: {
            kind: "streams",
            streams: () => ({
              stdin: Readable.from([input]),
              stdout: (bytes) => void heard.out.push(bytes),
              stderr: (bytes) => void heard.err.push(bytes),
              [Symbol.dispose]: () => {},
            }),
          },
          onLeft: (pod, reason) => expect.fail(`${pod} is left: ${reason}`),
        });
        const [out, err] = [heard.out, heard.err].map((parts) => Buffer.concat(parts).toString());
        return { code, out, err };
      };
      const used = {
        code: 9,
        out: `1|s3cret|tool:1|${input.toString()}`,
        err: expect.stringMatching(/^entered: \/bin\/sh -c .*\n$/) as string,
      };
      expect(await useTool()).toEqual(used);
      const { pods: changed } = await fleet.plan(next);
      expect(changed.map(({ pod, action }) => `${pod} ${action}`)).toEqual(["web replace"]);
      // its image is there for the apply to come, and goes where none does
      expect((await fleet.apply(manifest)).status).toBe("done");
      const traces = await fleet.traces();
      expect(await useTool()).toEqual(used);
      expect((await fleet.apply(manifest)).status).toBe("done");
      await expect(useTool({ PATH: "/nowhere" })).rejects.toThrow(/the image must contain sleep/);
      expect((await fleet.apply(manifest)).status).toBe("done");
      expect(await fleet.traces()).toEqual(traces);
    }, 180_000);

    test("killed while it runs, the next apply takes away what it left", async () => {
      await using fleet = open();
      const manifest = await applied(fleet);
      const traces = await fleet.traces();
      const file = fleet.write("fleet", manifest);
      const words = ["run", "--file", file, "web", "--entrypoint", "/bin/sh", "--", "-c"];
      const child = spawn(process.execPath, [cli, ...words, "echo up; sleep 100000"], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...fleet.environment, NODE_EXTRA_CA_CERTS: "" },
      });
      await printed(child, "up\n");
      child.kill("SIGKILL");
      await once(child, "close");
      const { pods: left } = await fleet.plan(manifest);
      expect(left.map(({ pod, action }) => `${pod} ${action}`)).toEqual([
        expect.stringMatching(/^web-run-[0-9a-f]{6} remove$/),
      ]);
      const report = await fleet.apply(manifest, { lockTimeoutMs: 60_000 });
      expect(report.status).toBe("done");
      expect(await fleet.traces()).toEqual(traces);
      expect(isConverged(await fleet.plan(manifest))).toBe(true);
    }, 180_000);
  });
}

async function printed(child: ChildProcess, wanted: string): Promise<void> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  while (!text.includes(wanted)) {
    expect(child.exitCode).toBeNull();
    await delay(20);
  }
}

const folder = mkdtempSync(join(tmpdir(), "stw-run-once-"));
let cli = "";
beforeAll(async () => {
  cli = await buildOwnCli(folder);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
