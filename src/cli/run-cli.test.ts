import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeCli, simManifest } from "../../test/support/cli-context.ts";
import { CATALOG } from "./commands/catalog.ts";

describe("the command line", () => {
  test("--version and version print the version", async () => {
    const cli = fakeCli();
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    for (const argv of ["--version", "-V", "version"]) {
      expect(await cli.run(argv)).toMatchObject({ exitCode: 0, stdout: `stowage ${version}\n` });
    }
  });

  test("the help lists each command once, under the heading of its group", async () => {
    const { stdout } = await fakeCli().run("--help");
    const listed = [...stdout.matchAll(/^ {2}([a-z]+) {2,}[A-Z]/gm)].map((match) => match[1]);
    expect(listed).toEqual(CATALOG.map(({ name }) => name));
    expect(stdout).toMatch(/^Look at what runs:\n {2}ps {2,}/m);
  });

  test.each(CATALOG.map(({ name }) => name))(
    "the prose of %s --help fits a terminal",
    async (name) => {
      const { stdout } = await fakeCli().run(name, "--help");
      const prose = stdout.split("\n").filter((line) => !/^ |^Usage:/.test(line));
      expect(prose.filter((line) => line.length > 100)).toEqual([]);
    },
  );

  test("no command at all shows the help and is an error", async () => {
    const { exitCode, stderr, stdout } = await fakeCli().run();
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain("Usage: stowage COMMAND");
  });

  test.each(CATALOG.map(({ name }) => name))(
    "%s --help shows usage and an example",
    async (name) => {
      const cli = fakeCli();
      const { exitCode, stdout } = await cli.run(name, "--help");
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`Usage: stowage ${name}`);
      expect(stdout).toContain(`  stowage ${name}`);
      expect((await cli.run("help", name)).stdout).toBe(stdout);
    },
  );

  test("an unknown command names the one that was meant", async () => {
    const { exitCode, stderr } = await fakeCli().run("aply");
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      'Error: Cannot run command "aply": there is none of that name; did you mean apply?\n',
    );
  });

  test.each([
    ["up", "stowage apply changes the hosts to match the declaration"],
    ["scale", "declare replicas of the service, and apply"],
    ["taint", "replaced when its declaration changes"],
  ])("a command of another tool, %s, is told what does it here", async (word, said) => {
    const { exitCode, stderr } = await fakeCli().run(word);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(said);
  });

  test("an unknown option names the one that was meant", async () => {
    const { exitCode, stderr } = await fakeCli().run("plan", "--jsn");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      "Cannot use option --jsn: stowage plan does not know it; did you mean --json?",
    );
  });

  test.each([
    [["plan", "--host"], "--host: its value is missing; write --host HOST"],
    [["plan", "--host", "--out", "x"], "its value is missing before --out"],
    [["plan", "--json=yes"], "--json takes no value"],
    [["plan", "surplus"], 'unexpected argument "surplus"'],
    [["logs"], "POD... is missing"],
    [
      ["apply", "--yes", "-f", "x.json", "--lock-timeout", "soon"],
      '--lock-timeout "soon": it is not a time span',
    ],
    [["images", "list"], "it lists or locks"],
    [["images", "lock", "--all"], "leave --all out"],
    [["destroy", "--yes", "--yes-delete-data"], "no volumes are to be deleted; add --volumes"],
    [["destroy", "--yes", "--owner", "x", "-f", "y.json"], "it is for a host without a manifest"],
    [["destroy", "--yes", "--host", "local"], "no fleet is named; add --fleet NAME"],
  ])("%j is refused with the reason", async (argv, reason) => {
    const { exitCode, stderr, stdout } = await fakeCli().run(...argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain("    at ");
  });

  test("global options may stand before the command and after it", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    for (const argv of [
      ["-f", "fleet.json", "validate"],
      ["validate", "--file=fleet.json"],
      ["-C", cli.directory, "validate", "-f", "fleet.json"],
    ]) {
      expect(await cli.run(...argv)).toMatchObject({ exitCode: 0, stderr: "" });
    }
  });

  test("an error is JSON on stdout for whoever asked for JSON", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", { ...simManifest(cli.directory), surplus: 1 });
    const { exitCode, stdout } = await cli.run("plan", "-f", "fleet.json", "--json");
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "invalid_argument", diagnostics: [{ path: "surplus" }] },
    });
  });

  test("--debug adds the stack and the causes", async () => {
    const { stderr } = await fakeCli().run("plan", "-f", "absent.json", "--debug");
    expect(stderr).toMatch(/Cannot read manifest ".*absent\.json": there is no such file/);
    expect(stderr).toContain("    at ");
    expect(stderr).toContain("Caused by: Error: ENOENT");
  });

  test("Windows is refused with the way to go", async () => {
    const { exitCode, stderr } = await fakeCli({ platform: "win32" }).run("plan");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("WSL2");
  });

  test("whoever stops a command gets no error and no stack", async () => {
    const cli = fakeCli({ drain: AbortSignal.abort(new DOMException("Stopped", "AbortError")) });
    cli.write("fleet.json", simManifest(cli.directory));
    expect(await cli.run("plan", "-f", "fleet.json")).toMatchObject({
      exitCode: 1,
      stderr: "Stopped.\n",
    });
  });

  test("colour is for terminals alone, and NO_COLOR and --no-color end it", async () => {
    const coloured = async (env: Record<string, string>, terminal: boolean, ...argv: string[]) => {
      const cli = fakeCli({ env, terminal });
      cli.write("fleet.json", simManifest(cli.directory));
      const { stdout } = await cli.run("validate", "-f", "fleet.json", ...argv);
      return stdout.includes("\u001b[");
    };
    expect(await coloured({}, true)).toBe(true);
    expect(await coloured({}, false)).toBe(false);
    expect(await coloured({ FORCE_COLOR: "1" }, false)).toBe(true);
    expect(await coloured({ NO_COLOR: "1" }, true)).toBe(false);
    expect(await coloured({}, true, "--no-color")).toBe(false);
  });
});

describe("commands that change something", () => {
  test.each(["apply", "destroy", "unlock"])(
    "%s without a terminal and without --yes is refused before anything is read",
    async (command) => {
      const { exitCode, stderr } = await fakeCli().run(command, "-f", "absent.json");
      expect(exitCode).toBe(1);
      expect(stderr).toContain("there is no terminal to ask on");
      expect(stderr).not.toContain("absent.json");
    },
  );

  test("apply asks after it showed the plan, and no is no", async () => {
    const cli = fakeCli({ answers: [false] });
    cli.write("fleet.json", simManifest(cli.directory));
    const { exitCode, stdout, questions } = await cli.run("apply", "-f", "fleet.json");
    expect(questions).toEqual(["Apply this plan? Type yes:"]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("+ web   create");
    expect(stdout).toMatch(/Nothing has been touched\.\n$/);
    expect((await cli.run("plan", "-f", "fleet.json")).exitCode).toBe(2);
  });

  test("with --json there is no question even on a terminal", async () => {
    const { stdout, questions } = await fakeCli({ answers: [true] }).run("apply", "--json");
    expect(questions).toEqual([]);
    expect(JSON.parse(stdout).error.message).toContain("its output is JSON");
  });

  test("plan is 2, then apply, then plan is 0, ps and logs show the pod, destroy removes it", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    const run = (...argv: string[]) => cli.run(...argv, "--file", "fleet.json");
    expect((await run("plan")).exitCode).toBe(2);
    expect(await run("apply", "--yes")).toMatchObject({ exitCode: 0, stderr: "" });
    const converged = await run("plan");
    expect(converged.exitCode).toBe(0);
    expect(converged.stdout).toContain("Nothing to do: all hosts match the manifest.");
    expect((await run("ps")).stdout).toMatch(
      /^here +web +sim +running +1 +web +running, pid \d+ +- +localhost\/hello:1/m,
    );
    expect((await run("logs", "web")).stdout).toBe("hello\n");
    expect((await run("destroy", "--yes")).stdout).toContain("Done: 1 pod removed");
    expect((await run("ps")).stdout).toMatch(/^here +web +sim +absent/m);
  });

  test("apply --json prints the plan, what happens and the report, each on a line", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    const { stdout, exitCode } = await cli.run("apply", "--yes", "--json", "-f", "fleet.json");
    expect(exitCode).toBe(0);
    const types = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).type);
    expect(types).toContain("plan");
    expect(types).toContain("step-done");
    expect(types.at(-1)).toBe("report");
  });

  test("an apply with nothing to do says what could not be compared", async () => {
    const env: Record<string, string> = { PW: "v3ry-s3cret" };
    const cli = fakeCli({ env });
    const file = cli.write(
      "fleet.json",
      simManifest(cli.directory, { env: { PW: { secret: { fromEnv: "PW" } } } }),
    );
    await cli.run("apply", "-f", file, "--yes");
    const known = await cli.run("apply", "-f", file, "--yes");
    expect(known.stdout).toBe("Nothing to do: all hosts match the manifest.\n");
    delete env["PW"];
    const { exitCode, stdout } = await cli.run("apply", "-f", file, "--yes");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^warning: here\/web: containers\.web\.env\.PW not compared: PW is not set here\n\nNothing to do: /,
    );
    const json = await cli.run("apply", "-f", file, "--yes", "--json");
    const lines = json.stdout.split("\n").filter(Boolean);
    expect(lines.map((line) => JSON.parse(line)).slice(-2)).toMatchObject([
      { type: "plan", plan: { warnings: [expect.stringContaining("PW is not set here")] } },
      { type: "report", status: "converged" },
    ]);
  });

  test("a secret is printed nowhere, neither in clear nor as a digest", async () => {
    const secret = "v3ry-s3cret";
    const cli = fakeCli({ env: { PW: secret } });
    cli.write(
      "fleet.json",
      simManifest(cli.directory, { env: { PW: { secret: { fromEnv: "PW" } } } }),
    );
    const file = ["-f", "fleet.json"];
    const outputs = [
      await cli.run("plan", ...file, "--json"),
      await cli.run("apply", "--yes", "--json", ...file),
      await cli.run("plan", "--out", "p", ...file),
    ];
    const changed = fakeCli({ env: { PW: "other" } });
    const plan = await changed.run("plan", "-f", join(cli.directory, "fleet.json"));
    expect(plan.stdout).toContain("containers.web.env.PW   changed");
    const texts = [...outputs, plan].map(({ stdout, stderr }) => stdout + stderr).join("");
    expect(texts).not.toContain(secret);
    expect(texts).not.toContain('"secrets"');
    expect(readFileSync(join(cli.directory, "p"), "utf8")).not.toContain(secret);
  });

  test("a pod that nobody knows is refused", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    const { exitCode, stderr } = await cli.run("plan", "-f", "fleet.json", "--pod", "wep");
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Cannot plan pod "wep"');
    expect(stderr).toContain("did you mean web?");
  });

  test("a plan is saved over another plan, and over nothing else", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    const declared = readFileSync(join(cli.directory, "fleet.json"), "utf8");
    const refused = await cli.run("plan", "-f", "fleet.json", "--out", "fleet.json");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("it is not a plan; name another file");
    expect(readFileSync(join(cli.directory, "fleet.json"), "utf8")).toBe(declared);
    for (const _ of ["made", "made again"])
      expect((await cli.run("plan", "-f", "fleet.json", "--out", "p")).exitCode).toBe(2);
  });

  test("a saved plan is done exactly, and refused when the host has moved on", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    expect((await cli.run("plan", "-f", "fleet.json", "--out", "shop.plan")).exitCode).toBe(2);
    expect((await cli.run("apply", "shop.plan", "--host", "here", "--yes")).stderr).toContain(
      "leave --host out",
    );
    expect((await cli.run("apply", "shop.plan", "--yes")).exitCode).toBe(0);
    expect((await cli.run("plan", "-f", "fleet.json")).exitCode).toBe(0);
    const again = await cli.run("apply", "--plan", "shop.plan", "--yes");
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain("hosts.here: it changed since the plan was made");
  });

  test("a file that is no saved plan is refused with its place", async () => {
    const cli = fakeCli();
    cli.write("x.plan", {
      savedPlan: "stowage/plan/v1",
      baseDir: "/",
      options: {},
      manifest: {},
      plan: {},
    });
    const { exitCode, stderr } = await cli.run("apply", "x.plan", "--yes");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("it is not a plan of this version (manifest.version");
  });

  test("volumes go only after a question of their own", async () => {
    const cli = fakeCli({ answers: [true, false] });
    const manifest = simManifest(cli.directory, { mounts: [{ volume: "data", path: "/data" }] });
    Object.assign(manifest.hosts.here.pods.web, {
      volumes: { data: { kind: "named", name: "data" } },
    });
    cli.write("fleet.json", manifest);
    await cli.run("apply", "--yes", "-f", "fleet.json");
    const declined = await cli.run("destroy", "--volumes", "-f", "fleet.json");
    expect(declined.questions).toEqual([
      "Destroy fleet shop? Type yes:",
      "Delete 1 volume and all data in them, for good? Type yes:",
    ]);
    expect(declined.stdout).toMatch(/Nothing has been touched\.\n$/);
    expect(declined.stdout).toMatch(/^ {2}- volume data \(.*\) at \S+, with all data in it$/m);
    expect(declined.stdout).not.toContain("kept");
    const kept = await cli.run("destroy", "--yes", "-f", "fleet.json");
    expect(kept.stdout).toContain("kept: volume data");
    const gone = await cli.run(
      "destroy",
      "--yes",
      "--volumes",
      "--yes-delete-data",
      "-f",
      "fleet.json",
    );
    expect(gone.stdout).toContain("deleted volume here/data");
  });

  test("a stray fleet is destroyed without its manifest", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    await cli.run("apply", "--yes", "-f", "fleet.json");
    const at = ["--host", "local", "--engine", `sim:${join(cli.directory, "sim.json")}`, "--yes"];
    const unknown = await cli.run("destroy", "--fleet", "shp", ...at);
    expect(unknown.stderr).toContain("the host holds no fleet of that name");
    const gone = await cli.run("destroy", "--fleet", "shop", ...at);
    expect(gone).toMatchObject({ exitCode: 0, stderr: "" });
    expect(gone.stdout).toContain("done  here/web  removed");
    expect((await cli.run("ps", "-f", "fleet.json")).stdout).toContain("absent");
  });

  test("images lock writes what references lead to, and the same again changes nothing", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    const first = await cli.run("images", "lock", "-f", "fleet.json");
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    expect(first.stdout).toContain("wrote fleet.lock.json: 1 image");
    expect((await cli.run("images", "lock", "-f", "fleet.json")).stdout).toContain("is up to date");
    const lock = JSON.parse(readFileSync(join(cli.directory, "fleet.lock.json"), "utf8"));
    expect(Object.keys(lock.images)).toEqual(["localhost/hello:1"]);
  });

  test("unlock says who held a lock", async () => {
    const cli = fakeCli({ answers: [true, false] });
    cli.write("fleet.json", simManifest(cli.directory));
    const run = await cli.run("unlock", "-f", "fleet.json");
    expect(run).toMatchObject({ exitCode: 0, stdout: "here  was not locked\n" });
    expect(await cli.run("unlock", "-f", "fleet.json")).toMatchObject({ exitCode: 1 });
  });
});
