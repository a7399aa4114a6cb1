import { describe, expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";

type Cli = ReturnType<typeof fakeCli>;

function cliWith(
  change: object = {},
  pods: object = {},
  world: Parameters<typeof fakeCli>[0] = {},
) {
  const cli = fakeCli(world);
  const manifest = simManifest(cli.directory, { ...change });
  const { here } = manifest.hosts;
  cli.write("fleet.json", {
    ...manifest,
    hosts: { here: { ...here, pods: { ...here.pods, ...pods } } },
  });
  return cli;
}

async function run(cli: Cli, ...words: readonly string[]) {
  return await cli.run("run", "--file", "fleet.json", ...words);
}

/** What is left on the host, as people see it. */
async function leftOf(cli: Cli) {
  const plan = await cli.run("plan", "--file", "fleet.json", "--json");
  const found = JSON.parse(plan.stdout) as {
    plan: Record<"pods" | "hostChanges", { id: string; action: string }[]>;
  };
  return [...found.plan.hostChanges, ...found.plan.pods].map(({ id, action }) => `${id} ${action}`);
}

describe("stowage run", () => {
  test("passes on what the command prints and its exit code, and leaves nothing", async () => {
    const cli = cliWith({ env: { A: "1" } });
    const script = "echo $A $B; echo err >&2; printf last; exit 7";
    const found = await run(cli, "web", "-e", "B=2 3", "--", "sh", "-c", script);
    expect(found).toEqual({
      exitCode: 7,
      stdout: "1 2 3\nerr\nlast\n",
      stderr: expect.stringMatching(/^done {2}here {2}image imported in .*\n$/) as string,
      questions: [],
    });
    // what it was made after was not applied, and still is not
    expect(await leftOf(cli)).toEqual(["here/web create"]);
    expect((await cli.run("ps", "--file", "fleet.json")).stdout).not.toContain("-run-");
    const audit = (await cli.run("history", "--file", "fleet.json", "--audit")).stdout;
    expect(audit).toMatch(/run +done +remove web-run-[0-9a-f]{6}/);
    expect(audit).toMatch(/run +done .*create web-run-[0-9a-f]{6}/);
  });

  test("beside the pod that runs, whose process and records stay as they are", async () => {
    const cli = cliWith({ env: { A: "1" } });
    expect((await cli.run("apply", "--yes", "--file", "fleet.json")).exitCode).toBe(0);
    const pidOf = async () => /pid \d+/.exec((await cli.run("ps", "--file", "fleet.json")).stdout);
    const before = await pidOf();
    expect(before).not.toBeNull();
    expect(await run(cli, "web", "--", "sh", "-c", "echo $A")).toMatchObject({
      exitCode: 0,
      stdout: "1\n",
      stderr: "",
    });
    expect((await pidOf())?.[0]).toBe(before?.[0]);
    expect(await leftOf(cli)).toEqual([]);
    const history = await cli.run("history", "--file", "fleet.json", "--json");
    expect(history.stdout).not.toContain("-run-");
  });

  test("without a command it runs what is declared, and with --entrypoint another program", async () => {
    const cli = cliWith({ command: ["sh", "-c", "echo declared"] });
    expect(await run(cli, "web")).toMatchObject({ exitCode: 0, stdout: "declared\n" });
    const other = await run(cli, "web", "--entrypoint", "echo", "--", "a", "--b");
    expect(other).toMatchObject({ exitCode: 0, stdout: "a --b\n" });
  });

  test("with -i it gets what comes by a pipe, and its streams come each by itself, byte for byte", async () => {
    const cli = cliWith(
      { command: ["sh", "-c", "cat; echo err >&2; printf end; exit 4"] },
      {},
      {
        stdin: "typed",
      },
    );
    const given = { stdout: "typedend", exitCode: 4, stderr: expect.stringMatching(/err\n$/) };
    expect(await run(cli, "-i", "web")).toMatchObject(given);
    const other = await run(cli, "-i", "web", "--entrypoint", "sh", "--", "-c", "cat; exit 5");
    expect(other).toMatchObject({ stdout: "typed", stderr: "", exitCode: 5 });
    expect((await run(cli, "web")).stdout).toBe("err\nend\n");
    expect(await leftOf(cli)).toEqual(["here/web create"]);
  });

  test("with -i a program that is not there is 127; -t without a terminal is refused at once", async () => {
    const cli = cliWith();
    const missing = await run(cli, "-i", "web", "--entrypoint", "/nonexistent/program");
    expect(missing).toMatchObject({ exitCode: 127, stdout: "" });
    expect(missing.stderr).toContain('Cannot run "/nonexistent/program" in container "web"');
    const audit = await cli.run("history", "--file", "fleet.json", "--audit");
    const refused = await run(cli, "-it", "web", "--", "sh");
    expect(refused).toMatchObject({ exitCode: 125, stdout: "" });
    expect(refused.stderr).toContain("leave -t out");
    expect(await cli.run("history", "--file", "fleet.json", "--audit")).toEqual(audit);
  });

  test("a variable without a value is the one of here; one that is not set is refused", async () => {
    const cli = cliWith({}, {}, { env: { STAGE: "blue" } });
    const printed = await run(cli, "web", "-e", "STAGE", "--", "sh", "-c", "echo $STAGE");
    expect(printed).toMatchObject({ exitCode: 0, stdout: "blue\n" });
    for (const [given, why] of [
      ["NONE", 'Cannot use --env "NONE": it is not set here'],
      ["=x", 'Cannot use --env "=x": it has no name'],
    ] as const) {
      const refused = await run(cli, "web", "-e", given, "--", "true");
      expect(refused).toMatchObject({ exitCode: 125, stdout: "" });
      expect(refused.stderr).toContain(`${why}; write --env NAME=VALUE`);
    }
  });

  test.each([
    [["wen"], "does not declare it there; did you mean web?"],
    [["web", "-c", "wep"], "it has web; did you mean web?"],
    [["two"], "it has a, b; name one with --container"],
    [["here/web", "--host", "there"], 'Cannot find host "there"'],
  ])("refuses %j before anything is touched", async (words, text) => {
    const container = { image: "localhost/hello:1" };
    const cli = cliWith({}, { two: { containers: { a: container, b: container } } });
    const { exitCode, stdout, stderr } = await run(cli, ...words, "--", "true");
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: "" });
    expect(stderr).toContain(text);
    const audit = await cli.run("history", "--file", "fleet.json", "--audit");
    expect(audit.stdout).toBe("Nothing was run on the hosts yet.\n");
  });

  test("of a service it is run on one host, the first; of pods that are not alike one is to be named", async () => {
    const cli = fakeCli();
    const { hosts, ...fleet } = simManifest(cli.directory);
    const write = (more: object) => {
      const pods = { web: { ...hosts.here.pods.web, ...more } };
      const host = (name: string) => ({
        address: "local",
        engine: { kind: "sim", file: `${cli.directory}/${name}.json` },
        pods,
      });
      cli.write("fleet.json", { ...fleet, hosts: { a: host("a"), b: host("b") } });
    };
    write({ service: "web" });
    expect(await run(cli, "web", "--", "echo", "one")).toMatchObject({
      exitCode: 0,
      stdout: "one\n",
    });
    expect((await run(cli, "b/web", "--", "echo", "two")).stdout).toBe("two\n");
    const audit = await cli.run("history", "--file", "fleet.json", "--audit");
    expect(audit.stdout).toMatch(/^a .* create web-run-/m);
    expect(audit.stdout).toMatch(/^b .* create web-run-/m);
    write({});
    const refused = await run(cli, "web", "--", "echo", "one");
    expect(refused).toMatchObject({ exitCode: 125, stdout: "" });
    expect(refused.stderr).toContain("it is on several hosts; name one of a/web, b/web");
  });

  test("an image that is nowhere is told with its place, and nothing is left of it", async () => {
    const cli = cliWith({ image: "localhost/none:1" });
    const found = await run(cli, "web", "--", "true");
    expect(found).toMatchObject({ exitCode: 125, stdout: "" });
    expect(found.stderr).toMatch(/hosts\.here\.pods\.web-run-[0-9a-f]{6}\.containers\.web\.image/);
    expect((await cli.run("ps", "--file", "fleet.json")).stdout).not.toContain("-run-");
  });

  test.each([[[]], [["-i"]]])(
    "Ctrl-C ends the command, and takes its container away: %j",
    async (options) => {
      const drain = new AbortController();
      const cli = cliWith({}, {}, { drain: drain.signal });
      const script = ["--entrypoint", "sh", "--", "-c", "echo up; sleep 1000"];
      const running = run(cli, ...options, "web", ...script);
      setTimeout(() => drain.abort(new DOMException("Stopped", "AbortError")), 1500);
      const { exitCode, stdout } = await running;
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "up\n" });
      expect((await cli.run("ps", "--file", "fleet.json")).stdout).not.toContain("-run-");
    },
  );
});
