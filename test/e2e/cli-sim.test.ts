import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeImage } from "../../scripts/lib/make-image.ts";
import { SimMachine } from "../../src/engines/sim/index.ts";
import { openLocalHost, runInTerminal } from "../../src/host/index.ts";
import { buildOwnCli } from "../support/built-cli.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const IMAGE = "localhost/hello:1";
const folder = mkdtempSync(join(tmpdir(), "stw-cli-sim-"));
let main: string;

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

beforeAll(async () => {
  main = await buildOwnCli(folder);
  const config = { cmd: ["sh", "-c", "echo hello; sleep 1000"] };
  makeImage({ out: join(folder, "image"), reference: IMAGE, config });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function stowage(...argv: readonly string[]): Run {
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env;
  return spawnSync(process.execPath, [main, ...argv], {
    cwd: folder,
    env,
    encoding: "utf8",
    stdio: "pipe",
  });
}

/** Runs it with nobody at the other end of its stdout. @returns its exit code */
async function unread(...argv: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [main, ...argv], {
    cwd: folder,
    stdio: ["ignore", "pipe", "ignore"],
  });
  child.stdout?.destroy();
  const [status] = (await once(child, "exit")) as [number | null];
  return status;
}

function write(name: string, value: unknown): string {
  writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
  return name;
}

function fleet(name: string, pods: Readonly<Record<string, unknown>>, over: object = {}): string {
  const engine = { kind: "sim", file: join(folder, `${name}.sim`) };
  return write(`${name}.json`, {
    version: "stowage/v1",
    name,
    id: "owner-1",
    images: { [IMAGE]: { layout: "image" } },
    hosts: { here: { address: "local", engine, pods } },
    ...over,
  });
}

const pod = (over: object = {}): object => ({ containers: { main: { image: IMAGE, ...over } } });

describe("the built command line on simulated hosts", () => {
  test("plan, apply, an empty plan, drift, convergence, destroy", async () => {
    const file = fleet("shop", { web: pod({ env: { LOG: "info" } }), db: pod() });
    expect(stowage("plan", "-f", file)).toMatchObject({ status: 2, stderr: "" });
    expect(stowage("apply", "-f", file).stderr).toContain("there is no terminal to ask on");
    expect(stowage("apply", "--yes", "-f", file)).toMatchObject({ status: 0, stderr: "" });
    expect(stowage("plan", "-f", file)).toMatchObject({ status: 0 });

    const machine = new SimMachine({ file: join(folder, "shop.sim") });
    const identity = { owner: "owner-1", fleet: "shop", host: "here", pod: "web", generation: 1 };
    await machine.kill(identity, "main");
    const drift = stowage("plan", "-f", file);
    expect(drift.status).toBe(2);
    expect(drift.stdout).toMatch(
      /! web +start, because it was killed by signal 9 \(exit 137\) \d+ s ago/,
    );
    expect(stowage("ps", "-f", file).stdout).toMatch(/here +web .*exited with 137/);

    expect(stowage("apply", "--yes", "-f", file).status).toBe(0);
    expect(stowage("plan", "-f", file).status).toBe(0);
    expect(stowage("logs", "web", "db", "--file", file).stdout).toContain("db/main  | hello\n");
    expect(stowage("destroy", "--yes", "-f", file).stdout).toContain("Done: 2 pods removed");
    expect(stowage("destroy", "--yes", "-f", file).stdout).toContain("hold nothing of the fleet");
  });

  test("--debug says where in the sources an error and its causes were", () => {
    const { stderr } = stowage("plan", "-f", "absent.json", "--debug");
    expect(stderr).toMatch(/^ {4}at src\/cli\/project\/read-json\.ts:\d+:\d+$/m);
    expect(stderr).not.toContain("stowage.cjs");
    expect(stderr).toContain("Caused by: Error: ENOENT");
    const map = join(dirname(main), "stowage.cjs.map");
    const text = readFileSync(map);
    writeFileSync(map, "no map");
    expect(stowage("plan", "-f", "absent.json", "--debug").stderr).toContain("stowage.cjs:");
    writeFileSync(map, text);
  });

  test("exec passes megabytes through its pipes, and has a terminal where there is one", async () => {
    const file = fleet("exec", { web: pod() });
    expect(stowage("apply", "--yes", "-f", file).status).toBe(0);
    const input = randomBytes(3 * 1024 * 1024);
    const found = spawnSync(
      process.execPath,
      [main, "exec", "-i", "-f", file, "web", "--", "sh", "-c", "cat; exit 7"],
      { cwd: folder, input, maxBuffer: input.length * 2 },
    );
    expect({ status: found.status, error: String(found.stderr) }).toEqual({ status: 7, error: "" });
    expect(found.stdout.equals(input)).toBe(true);
    await using host = openLocalHost();
    const parts: Uint8Array[] = [];
    const words = [
      "exec",
      "-it",
      "-f",
      join(folder, file),
      "web",
      "--",
      "sh",
      "-c",
      "echo hi; exit 5",
    ];
    const exitCode = await runInTerminal(host, [process.execPath, main, ...words], {
      size: { columns: 80, rows: 24 },
      output: (bytes) => void parts.push(bytes),
    });
    expect({ exitCode, said: Buffer.concat(parts).toString() }).toMatchObject({
      exitCode: 5,
      // Node leaves the line ends of its own terminal as they are
      said: expect.stringMatching(/^hi\r+\n$/),
    });
  });

  test.each([
    ["yes", 0],
    ["no", 1],
  ])("asks on a terminal, and goes by the answer %s", async (answer, status) => {
    const file = fleet(`asked-${answer}`, { web: pod() });
    await using host = openLocalHost();
    let said = "";
    let hear = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      hear = resolve;
    });
    const words = [process.execPath, main, "apply", "-f", join(folder, file)];
    const exitCode = await runInTerminal(host, words, {
      size: { columns: 80, rows: 24 },
      stdin: (async function* () {
        await asked;
        yield Buffer.from(`${answer}\r`);
      })(),
      output: (bytes) => {
        said += Buffer.from(bytes).toString();
        if (said.includes("Type yes")) hear();
      },
    });
    expect(said).not.toMatch(/Internal error|Warning/);
    expect(said).toContain(answer === "yes" ? "Done: 1 pod changed" : "Nothing has been touched.");
    expect(exitCode).toBe(status);
    expect(stowage("plan", "-f", file).status).toBe(answer === "yes" ? 0 : 2);
  });

  test("a saved plan is applied once, and refused when the host has moved on", () => {
    const file = fleet("saved", { web: pod() });
    expect(stowage("plan", "-f", file, "--out", "saved.plan").status).toBe(2);
    expect(stowage("apply", "saved.plan", "--yes").status).toBe(0);
    const again = stowage("apply", "saved.plan", "--yes");
    expect(again.status).toBe(1);
    expect(again.stderr).toContain("it changed since the plan was made");
  });

  test("nobody reads what it says: what changes hosts goes on to its end, what reads ends", async () => {
    const slow = { here: { engine: { kind: "sim", file: join(folder, "u.sim"), latencyMs: 20 } } };
    const pods = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`web-${at}`, pod()]));
    const file = fleet("unread", pods);
    const declared = JSON.parse(readFileSync(join(folder, file), "utf8"));
    write(file, { ...declared, hosts: { here: { ...declared.hosts.here, ...slow.here } } });
    expect(await unread("plan", "-f", file)).toBe(141);
    expect(await unread("apply", "--yes", "-f", file)).toBe(0);
    expect(stowage("plan", "-f", file).status).toBe(0);
    // what it has to pass on is more than a pipe holds
    const words = ["sh", "-c", "seq 1 50000; exit 7"];
    expect(await unread("run", "web-1", "--file", file, "--", ...words)).toBe(7);
    expect(await unread("ps", "-f", file)).toBe(141);
    expect(await unread("logs", "--follow", "web-1", "--file", file)).toBe(141);
    // its own exit code, not one of the pipe's
    const failing = { containers: { main: { image: IMAGE, command: ["false"] } } };
    write(file, { ...declared, hosts: { here: { ...declared.hosts.here, pods: { a: failing } } } });
    expect(await unread("apply", "--yes", "-f", file)).toBe(1);
  });

  test("a third signal ends it, though it waits for a file that nobody writes", async () => {
    expect(spawnSync("mkfifo", ["pipe.json"], { cwd: folder }).status).toBe(0);
    const child = spawn(process.execPath, [main, "validate", "-f", "pipe.json"], { cwd: folder });
    const ended = once(child, "exit");
    // it can be opened for writing once it is read, or waited for
    const file = join(folder, "pipe.json");
    const open = (): number => openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
    let pipe = -1;
    await expect.poll(() => (pipe = open())).toBeGreaterThan(0);
    while (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await delay(50);
    }
    closeSync(pipe);
    expect(await ended).toEqual([null, "SIGKILL"]);
  });

  test("output that cannot be written ends what reads with a reason", () => {
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(process.execPath, [main, "schema"], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", full, "pipe"],
    });
    closeSync(full);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "error: Cannot write the output: ENOSPC: no space left on device, write\n",
    });
  });

  test("many pods of a host are applied without a word of Node's", () => {
    const pods = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`web-${at}`, pod()]));
    const file = fleet("many", pods);
    expect(stowage("apply", "--yes", "-f", file)).toMatchObject({ status: 0, stderr: "" });
  });

  test("many hosts that take their time are planned and applied without a word of Node's", () => {
    const hosts = Array.from({ length: 12 }, (_, nth) => {
      const engine = { kind: "sim", file: join(folder, `slow-${nth}.sim`), latencyMs: 20 };
      return [`host-${nth}`, { address: "local", engine, pods: { web: pod() } }] as const;
    });
    const manifest = fleet("slow", {}, { hosts: Object.fromEntries(hosts) });
    expect(stowage("plan", "-f", manifest).stderr).toBe("");
    const { status, stderr } = stowage("apply", "-f", manifest, "--yes");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  test("a rollout is paused while another process applies it, and goes on after it is resumed", async () => {
    const health = { kind: "tcp", port: 8080, intervalMs: 50, startPeriodMs: 60_000 };
    const engine = (name: string) => ({ kind: "sim", file: join(folder, `waves-${name}.sim`) });
    const declare = (log: string) => {
      const service = { service: "web", rollout: { maxUnavailable: 1 } };
      const network = { network: { mode: "host" }, ports: [{ host: 8080 }] };
      const pods = { web: { ...pod({ env: { LOG: log }, health }), ...service, ...network } };
      const hosts = ["a", "b"].map((name) => [
        name,
        { address: "local", engine: engine(name), pods },
      ]);
      return fleet("waves", {}, { hosts: Object.fromEntries(hosts) });
    };
    const states = () => {
      const { stdout } = stowage("rollout", "status", "-f", "waves.json", "--json");
      return JSON.parse(stdout).services[0].pods.map((each: { state: string }) => each.state);
    };
    expect(stowage("apply", "--yes", "-f", declare("1"))).toMatchObject({ status: 0 });
    // the first wave goes on for as long as nobody answers
    const machine = new SimMachine({ file: join(folder, "waves-a.sim") });
    await machine.setHealth(8080, "it does not answer yet");
    const argv = ["apply", "--yes", "--json", "-f", declare("2")];
    const apply = spawn(process.execPath, [main, ...argv], { cwd: folder });
    const ended = once(apply, "exit");
    for await (const line of createInterface(apply.stdout)) {
      const event = JSON.parse(line);
      if (event.type === "step-started" && event.step.kind === "wait-healthy") {
        expect(stowage("rollout", "pause", "web", "-f", "waves.json")).toMatchObject({ status: 0 });
        await machine.setHealth(8080, undefined);
      }
      if (event.type === "report") expect(event.status).toBe("paused");
    }
    expect((await ended)[0]).toBe(2);
    expect(states()).toEqual(["declared", "old"]);
    expect(stowage("apply", "--yes", "-f", "waves.json")).toMatchObject({ status: 2, stderr: "" });
    expect(stowage("rollout", "resume", "web", "-f", "waves.json")).toMatchObject({ status: 0 });
    expect(stowage("apply", "--yes", "-f", "waves.json")).toMatchObject({ status: 0 });
    expect(states()).toEqual(["declared", "declared"]);
  });

  test("what a new project declares is valid", () => {
    expect(stowage("init", "project", "--name", "fresh")).toMatchObject({ status: 0, stderr: "" });
    const place = join(folder, "project");
    const main = readFileSync(join(place, "main.ts"), "utf8");
    writeFileSync(
      join(place, "main.ts"),
      main.replace('"stowage"', JSON.stringify(join(ROOT, "src/index.ts"))),
    );
    const config = JSON.parse(readFileSync(join(place, "cdktf.json"), "utf8"));
    config.app = `${join(ROOT, "node_modules/.bin/tsx")} main.ts`;
    writeFileSync(join(place, "cdktf.json"), JSON.stringify(config));
    expect(stowage("-C", "project", "validate")).toEqual(
      expect.objectContaining({
        status: 0,
        stdout: "fleet fresh is valid: 1 host, 1 pod\n",
        stderr: "",
      }),
    );
  });

  test("the schema is JSON Schema that knows every engine", () => {
    const { status, stdout } = stowage("schema");
    expect(status).toBe(0);
    const schema = JSON.parse(stdout);
    expect(schema.$schema).toContain("json-schema.org");
    expect(schema.properties.hosts).toBeDefined();
  });

  test("the version needs neither cdktf nor an engine", () => {
    const { stdout } = stowage("--version");
    expect(stdout).toMatch(/^stowage \d+\.\d+\.\d+\n$/);
    expect(readFileSync(main, "utf8")).not.toMatch(/from "(?:cdktf|constructs|@grpc\/grpc-js)"/);
  });
});

describe("bad input ends with 1, names its place and shows no stack", () => {
  const web = { containers: { main: { image: IMAGE } } };
  const cases: readonly [title: string, file: () => string, reason: string | RegExp][] = [
    [
      "an unknown field",
      () => fleet("bad1", { web: pod({ commnd: ["a"] }) }),
      /hosts\.here\.pods\.web\.containers\.main\.commnd: unknown field "commnd"; did you mean "command"/,
    ],
    [
      "a wrong type",
      () => fleet("bad2", { web: pod({ args: "a" }) }),
      /pods\.web\.containers\.main\.args/,
    ],
    [
      "a name twice",
      () =>
        write(
          "bad3.json",
          `{"version":"stowage/v1","name":"a","id":"o","hosts":{"h":{"address":"local","engine":{"kind":"sim"}},"h":{"address":"local","engine":{"kind":"sim"}}}}`,
        ),
      'hosts.h: the name "h" is given twice',
    ],
    [
      "a cycle",
      () => fleet("bad4", { a: { ...web, dependsOn: ["b"] }, b: { ...web, dependsOn: ["a"] } }),
      /hosts\.here\.pods\.[ab]\.dependsOn/,
    ],
    [
      "a missing image",
      () => fleet("bad5", { web: { containers: { main: { image: "localhost/none:1" } } } }),
      /hosts\.here\.pods\.web\.containers\.main\.image: .*localhost\/none:1/,
    ],
    [
      "a missing layout",
      () => fleet("bad6", { web: pod() }, { images: { [IMAGE]: { layout: "nowhere" } } }),
      /nowhere/,
    ],
    [
      "a wrong digest",
      () =>
        fleet(
          "bad7",
          { web: pod() },
          { images: { [IMAGE]: { layout: "image", digest: `sha256:${"0".repeat(64)}` } } },
        ),
      /sha256:0000/,
    ],
    [
      "text that is not JSON",
      () => write("bad8.json", '{"version": }'),
      /line 1, column 13|not JSON/,
    ],
    ["a manifest that is not there", () => "bad9.json", "there is no such file"],
    ["no manifest at all", () => write("bad10.json", "[]"), /bad10\.json/],
  ];

  test.each(cases)("%s", (_title, file, reason) => {
    const { status, stdout, stderr } = stowage("plan", "-f", file());
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).toMatch(reason instanceof RegExp ? reason : new RegExp(escaped(reason)));
    expect(stderr).not.toContain("    at ");
  });

  test("a host whose containerd has no socket is named with the reason", () => {
    const socket = join(folder, "absent.sock");
    const { status, stdout, stderr } = stowage("plan", "-f", onSocket("absent", socket));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Error: host here could not be observed: /);
    expect(stderr).toContain(socket);
    expect(stdout + stderr).not.toContain("    at ");
    expect(stowage("apply", "--yes", "-f", onSocket("absent", socket)).status).toBe(1);
  });

  test("a socket that hangs up at once is named as well", async () => {
    const socket = join(folder, "refusing.sock");
    const server = createServer((connection) => connection.destroy());
    await new Promise<void>((done) => server.listen(socket, done));
    try {
      const { status, stdout, stderr } = stowage("plan", "-f", onSocket("refusing", socket));
      expect(status).toBe(1);
      expect(stderr).toContain(socket);
      expect(stdout + stderr).not.toContain("    at ");
    } finally {
      server.close();
    }
  });
});

function onSocket(name: string, socket: string): string {
  const directories = { stateDir: join(folder, "state"), runDir: join(folder, "run") };
  const here = { address: "local", engine: { kind: "containerd", socket }, ...directories };
  return fleet(name, {}, { hosts: { here: { ...here, pods: { web: pod() } } } });
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
