import { describe, expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";
import { ENGINE_KINDS } from "../../model/index.ts";

describe("stowage engines", () => {
  test("lists every engine, field by field, with how it is known", async () => {
    const { exitCode, stdout } = await fakeCli().run("engines");
    expect(exitCode).toBe(0);
    for (const kind of ENGINE_KINDS) expect(stdout).toContain(`${kind}\n`);
    expect(stdout).toMatch(/containers\.\*\.resources\.memoryBytes +native +kernel/);
    expect(stdout).toMatch(/containers\.\*\.health +emulated .*while stowage apply waits/);
    expect(stdout).toMatch(/containers\.\*\.shmBytes +unsupported .*instead: a tmpfs volume/);
    expect(stdout).toMatch(/restart\.policy +emulated .*while stowage watch runs/);
    // the adapters are loaded here, which takes its time on a busy machine
  }, 30_000);

  test("prints one of them for programs", async () => {
    const { stdout } = await fakeCli().run("engines", "containerd", "--json");
    const { engines } = JSON.parse(stdout) as {
      engines: readonly { kind: string; fields: readonly object[] }[];
    };
    expect(engines.map(({ kind }) => kind)).toEqual(["containerd"]);
    expect(engines[0]?.fields).toContainEqual(
      expect.objectContaining({ field: "containers.*.health", support: "emulated" }),
    );
  });

  test("names the engine that was meant", async () => {
    const { exitCode, stderr } = await fakeCli().run("engines", "containrd");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("did you mean containerd?");
  });

  test("an emulated field says while what runs, and an unsupported one why", async () => {
    const { stdout } = await fakeCli().run("engines", "--json");
    const { engines } = JSON.parse(stdout) as {
      engines: readonly { fields: readonly Record<string, unknown>[] }[];
    };
    for (const row of engines.flatMap(({ fields }) => fields)) {
      if (row["support"] === "emulated") expect(row, String(row["field"])).toHaveProperty("while");
      if (row["support"] !== "native") expect(row, String(row["field"])).toHaveProperty("reason");
    }
  });

  test("what Stowage makes beside an engine is not called the engine's own", async () => {
    const { stdout } = await fakeCli().run("engines", "containerd", "podman", "rkt", "--json");
    const { engines } = JSON.parse(stdout) as {
      engines: readonly { kind: string; fields: readonly Record<string, unknown>[] }[];
    };
    const native = engines.flatMap(({ kind, fields }) =>
      fields
        .filter(({ field }) =>
          /^(?:network\.(?!mode)|ports|restart\.maxRetries)/.test(String(field)),
        )
        .filter(({ support }) => support === "native")
        .map(({ field }) => `${kind} ${field}`),
    );
    // podman alone restarts by itself
    expect(native).toEqual(["podman restart.maxRetries"]);
  });
});

describe("stowage plan --engine", () => {
  test("plans as if the host had that engine: a move, and nothing is touched", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    await cli.run("apply", "-f", "fleet.json", "--yes");
    const { exitCode, stdout, stderr } = await cli.run(
      ..."plan -f fleet.json --engine containerd --host here".split(" "),
    );
    expect(stderr).toBe("");
    expect(exitCode).toBe(2);
    expect(stdout).toContain("As if host here had engine containerd:");
    expect(stdout).toContain("here  containerd (not on the host), was sim");
    expect(stdout).toContain("> web   move from sim to containerd");
    expect((await cli.run("plan", "-f", "fleet.json")).exitCode).toBe(0);
  });

  test("names what an engine cannot do of fields that each alone it can", async () => {
    const cli = fakeCli();
    const mounts = ["/data", "/data/in", "/database"].map((path) => ({ volume: "v", path }));
    const ulimits = { nofile: { soft: 10, hard: 20 } };
    const { hosts, ...manifest } = simManifest(cli.directory, { mounts, ulimits });
    const pods = { web: { ...hosts.here.pods.web, volumes: { v: { kind: "tmpfs" } } } };
    cli.write("fleet.json", { ...manifest, hosts: { here: { ...hosts.here, pods } } });
    const { exitCode, stderr } = await cli.run(
      ..."plan -f fleet.json --engine rkt --host here".split(" "),
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain("mounts[/data/in].path: rkt");
    expect(stderr).toContain("cannot do this: fly mounts in no fixed order");
    expect(stderr).not.toContain("mounts[/database]");
    expect(stderr).toContain("ulimits.nofile.soft: rkt");
    expect((await cli.run("plan", "-f", "fleet.json")).exitCode).toBe(2);
  });

  test.each([
    [["--engine", "containerd"], "name exactly one host with --host NAME"],
    [["--engine", "containerd", "--host", "b"], 'Cannot find host "b"'],
    [["--engine", "podmann", "--host", "here"], 'Cannot find engine "podmann"'],
    [["--engine", "containerd", "--host", "here", "--out", "x"], "the engine is only assumed"],
  ])("%j is refused", async (argv, message) => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    const { exitCode, stderr } = await cli.run("plan", "-f", "fleet.json", ...argv);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
  });
});

test("ps says in which engine each pod is, while a host is on its way to another one", async () => {
  const cli = fakeCli();
  const manifest = simManifest(cli.directory);
  cli.write("fleet.json", manifest);
  await cli.run("apply", "-f", "fleet.json", "--yes");
  const { here } = manifest.hosts;
  const engine = { ...here.engine, store: "b" };
  cli.write("fleet.json", { ...manifest, hosts: { here: { ...here, engine } } });
  const { stdout } = await cli.run("ps", "-f", "fleet.json");
  expect(stdout).toMatch(/here +web +sim \(no store\) +running/);
  expect((await cli.run("apply", "-f", "fleet.json", "--yes", "--keep-old")).exitCode).toBe(0);
  const after = await cli.run("ps", "-f", "fleet.json");
  expect(after.stdout).toMatch(/here +web +sim \(store b\) +running/);
  expect(after.stdout).toMatch(/here +web +sim \(no store\) +exited/);
});

test("a move is saved with its plan and applied from it", async () => {
  const cli = fakeCli();
  const manifest = simManifest(cli.directory, { oomScoreAdj: 1 });
  cli.write("fleet.json", manifest);
  await cli.run("apply", "-f", "fleet.json", "--yes");
  const { here } = manifest.hosts;
  const engine = { ...here.engine, store: "b", runOnce: true };
  cli.write("fleet.json", { ...manifest, hosts: { here: { ...here, engine } } });
  const saved = await cli.run("plan", "-f", "fleet.json", "--keep-old", "--out", "move.plan");
  expect(saved.stdout).toContain("lost on sim: changing oom score adj");
  expect(await cli.run("apply", "move.plan", "--yes")).toMatchObject({ exitCode: 0 });
  expect((await cli.run("plan", "-f", "fleet.json", "--keep-old")).exitCode).toBe(0);
  expect((await cli.run("plan", "-f", "fleet.json")).exitCode).toBe(2);
});
