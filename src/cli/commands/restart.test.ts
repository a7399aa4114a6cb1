import { describe, expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";

async function applied(answers: readonly boolean[] = []) {
  const cli = fakeCli({ answers });
  const write = (change: object = {}, more: object = {}): void => {
    const manifest = simManifest(cli.directory, { ...change });
    const { here } = manifest.hosts;
    const pods = { ...here.pods, db: here.pods.web, ...more };
    cli.write("fleet.json", { ...manifest, hosts: { here: { ...here, pods } } });
  };
  write();
  const run = (command: string, ...words: readonly string[]) =>
    cli.run(command, "--file", "fleet.json", ...words);
  expect((await run("apply", "--yes")).exitCode).toBe(0);
  const pid = async (pod: string): Promise<string> =>
    new RegExp(`^here +${pod} +sim +running +1 +\\w+ +running, (pid \\d+)`, "m").exec(
      (await run("ps", "--no-health")).stdout,
    )?.[1] ?? "";
  return { run, write, pid };
}

describe("stowage restart", () => {
  test("shows what it would do, asks, does it to the named pods alone, and notes it", async () => {
    const { run, pid } = await applied([false, true]);
    const [web, db] = [await pid("web"), await pid("db")];
    const declined = await run("restart", "web");
    expect(declined).toMatchObject({ exitCode: 1, questions: ["Restart these pods? Type yes:"] });
    expect(declined.stdout).toContain("~ web   restart, because a restart was asked for");
    expect(declined.stdout).toContain("Nothing has been touched.");
    expect(await pid("web")).toBe(web);
    const done = await run("restart", "here/web");
    expect(done.stdout).toMatch(/Done: 1 pod restarted in /);
    expect(done.exitCode).toBe(0);
    expect(await pid("web")).toMatch(/^pid/);
    expect(await pid("web")).not.toBe(web);
    expect(await pid("db")).toBe(db);
    expect((await run("plan")).exitCode).toBe(0);
    expect((await run("history", "--audit", "--json")).stdout).toContain('"command":"restart"');
    expect((await run("history", "web", "--json")).stdout).not.toContain('"number":2');
  });

  test("with --all every pod, and with --json lines for a program", async () => {
    const { run, pid } = await applied();
    const before = [await pid("web"), await pid("db")];
    const { exitCode, stdout } = await run("restart", "--all", "--yes", "--json");
    expect(exitCode).toBe(0);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.find(({ type }) => type === "plan")).toMatchObject({
      type: "plan",
      plan: {
        pods: [
          { id: "here/db", action: "restart", reasons: [{ kind: "asked" }] },
          { id: "here/web", action: "restart", reasons: [{ kind: "asked" }] },
        ],
      },
    });
    expect(lines.at(-1)).toMatchObject({ type: "report", status: "done" });
    expect([await pid("web"), await pid("db")].filter((each) => before.includes(each))).toEqual([]);
  });

  test("refuses what it cannot mean, and pods with changes that were not applied", async () => {
    const { run, write, pid } = await applied();
    const before = await pid("web");
    for (const [words, reason] of [
      [[], "no pod is named; name pods, or use --all"],
      [["web", "--all"], "leave out one of the two"],
      [["wbe"], "did you mean web?"],
      [["there/web"], 'Cannot find host "there"'],
      [["here/web", "--host", "there"], 'Cannot find host "there"'],
    ] as const) {
      const { exitCode, stderr } = await run("restart", "--yes", ...words);
      expect({ exitCode, stderr }).toEqual({
        exitCode: 1,
        stderr: expect.stringContaining(reason),
      });
    }
    expect((await run("restart", "web")).stderr).toContain("there is no terminal to ask on");
    write({ env: { LOG: "1" } });
    const changed = await run("restart", "web", "--yes");
    expect(changed.exitCode).toBe(1);
    expect(changed.stderr).toContain(
      'pod "web" has changes that are not applied yet (containers.web.env.LOG)',
    );
    expect(changed.stderr).toContain("run stowage apply --pod web --host here");
    expect(await pid("web")).toBe(before);
  });

  test("tells of a pod that has ended, as it is to, and does not begin it", async () => {
    const { run, write } = await applied();
    const job = {
      containers: { job: { image: "localhost/hello:1", command: ["true"] } },
      restart: { policy: "on-failure" },
    };
    write({}, { job });
    expect((await run("apply", "--yes", "--settle", "0")).exitCode).toBe(0);
    const { exitCode, stdout, stderr } = await run("restart", "job", "--yes");
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      "here/job has ended, as its restart policy allows, and is not restarted",
    );
    expect(stdout).toContain("Nothing to do");
  });

  test("names what was not begun anew, and not what was: another restart of all would do it twice", async () => {
    const { run, write } = await applied();
    const command = ["sh", "-c", "sleep 1000"];
    const sick = {
      image: "localhost/hello:1",
      command,
      health: {
        kind: "exec",
        command: ["sh", "-c", "! test -e /sick"],
        intervalMs: 100,
        retries: 1,
      },
    };
    const after = { containers: { main: { image: "localhost/hello:1", command } } };
    const pods = { db: { containers: { main: sick } }, late: { ...after, dependsOn: ["db"] } };
    write({}, pods);
    expect((await run("apply", "--yes")).exitCode).toBe(0);
    expect((await run("exec", "db", "--", "touch", "/sick")).exitCode).toBe(0);
    const { exitCode, stdout } = await run("restart", "--all", "--yes");
    expect(exitCode).toBe(1);
    const told = stdout.split("\n").map((line) => line.trim());
    expect(told).toContain("what to do: fix the cause and run stowage restart here/db");
    expect(told).toContain("what to do: run stowage restart here/late when that is fixed");
    expect(stdout).toMatch(
      /Not everything was done: 1 pod restarted in .*, 2 changes not done\. Fix the cause, and name only those: a restart would restart the others again\./,
    );
    expect(stdout).not.toMatch(/apply again|not done twice/);
  });
});
