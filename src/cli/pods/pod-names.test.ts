import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";
import { StowageError } from "../../errors/index.ts";
import { createConnector } from "../connector.ts";

/** Pod web on both of two hosts, and pod db on one of them. */
async function applied(away: { host?: string } = {}) {
  const connector = createConnector();
  const read: typeof connector.read = async (name, ...rest) => {
    if (name === away.host) throw new StowageError("It is away", { code: "unavailable" });
    return await connector.read(name, ...rest);
  };
  const cli = fakeCli({ connector: { ...connector, read } });
  const write = (of: string) => {
    const manifest = simManifest(cli.directory, { env: { OF: of } });
    const { here } = manifest.hosts;
    const host = (name: string, pods: object) => ({
      ...here,
      engine: { kind: "sim", file: join(cli.directory, `${name}.json`) },
      pods,
    });
    const { web } = here.pods;
    const hosts = { east: host("east", { web }), west: host("west", { web, db: web }) };
    cli.write("fleet.json", { ...manifest, hosts });
  };
  const run = (command: string, ...words: readonly string[]) =>
    cli.run(command, "--file", "fleet.json", ...words);
  for (const of of ["one", "two"]) {
    write(of);
    expect((await run("apply", "--yes", "--settle", "0")).exitCode).toBe(0);
  }
  return run;
}

describe("a pod that is named with its host", () => {
  test("is the only one that exec, logs, stats and history take", async () => {
    const run = await applied();
    expect(await run("exec", "web", "--", "true")).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining("name one of east/web, west/web"),
    });
    expect((await run("exec", "west/web", "--", "true")).exitCode).toBe(0);
    expect((await run("logs", "web")).stdout).toMatch(/^east\/web\/web/m);
    expect((await run("logs", "west/web")).stdout).toBe("hello\n");
    const both = (await run("logs", "west/web", "west/db")).stdout;
    expect(both.trim().split("\n").sort()).toEqual(["db/web  | hello", "web/web | hello"]);
    const { stdout } = await run("history", "west/web", "--json");
    const { records } = JSON.parse(stdout) as { records: { host: string; pod: string }[] };
    expect(records.map(({ host, pod }) => `${host}/${pod}`)).toEqual(["west/web", "west/web"]);
    expect(await run("stats", "east/web")).toMatchObject({ exitCode: 0 });
  });

  test("is the only one that is rolled back", async () => {
    const run = await applied();
    const { exitCode, stdout } = await run("rollback", "west/web", "--yes");
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toContain("done  west/web  replaced");
    expect(stdout).not.toContain("east/web");
  });

  test("is left out with its host where that cannot be asked, and not said to be missing", async () => {
    const away: { host?: string } = {};
    const run = await applied(away);
    away.host = "east";
    const { exitCode, stdout, stderr } = await run("logs", "east/web", "west/web");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "hello\n" });
    expect(stderr).toContain("warning: host east is left out: It is away");
  });

  test("is said to be missing where it is not there", async () => {
    const run = await applied();
    for (const [[command, ...words], reason] of REFUSED) {
      const { exitCode, stderr } = await run(command, ...words);
      expect(exitCode, reason).not.toBe(0);
      expect(stderr).toContain(reason);
    }
  });
});

const REFUSED = [
  [["exec", "west/wbe", "--", "true"], "on host west are db, web; did you mean web?"],
  [["exec", "wst/web", "--", "true"], 'Cannot find host "wst"'],
  [["logs", "east/db"], "on host east are web"],
  [["logs", "east/web", "--host", "west"], "--host excludes its host"],
  [["stats", "east/db"], "neither declares nor runs it on east; it has web on east"],
  [["history", "west/wbe"], "did you mean web?"],
  [["rollback", "east/db", "--yes"], 'Cannot roll back pod "east/db"'],
  [["plan", "--pod", "west/web"], "write --pod web --host west"],
  [["apply", "--pod", "west/web", "--yes"], "write --pod web --host west"],
] as const;
