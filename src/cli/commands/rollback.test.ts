import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";

function write(cli: ReturnType<typeof fakeCli>, log: string): string {
  return cli.write("fleet.json", simManifest(cli.directory, { env: { LOG: log } }));
}

test("history lists what was applied, rollback goes back to it, and the audit file tells of both", async () => {
  const cli = fakeCli({ answers: [false, true] });
  const file = write(cli, "1");
  expect(await cli.run("history", "-f", file)).toMatchObject({
    exitCode: 0,
    stdout: "The hosts keep no record of fleet shop.\n",
  });
  expect((await cli.run("history", "-f", file, "--audit")).stdout).toBe(
    "Nothing was run on the hosts yet.\n",
  );
  expect(await cli.run("apply", "-f", file, "--yes")).toMatchObject({ exitCode: 0 });
  write(cli, "2");
  expect(await cli.run("apply", "-f", file, "--yes")).toMatchObject({ exitCode: 0 });

  const listed = await cli.run("history", "web", "-f", file);
  expect(listed.stdout).toMatch(
    /^HOST +POD +N +GEN +APPLIED +BY +FROM +IMAGES\nhere +web +2 \(now\) +2 +\d{4}-\S+Z +ann +desk +localhost\/hello:1 sha256:\S+\nhere +web +1 +1 /,
  );
  const json = JSON.parse((await cli.run("history", "-f", file, "--json")).stdout);
  expect(json).toMatchObject({
    records: [
      { number: 2, current: true, by: "ann", from: "desk", engine: "sim" },
      {
        number: 1,
        current: false,
        images: { web: { digest: expect.stringContaining("sha256:") } },
      },
    ],
    unreachable: [],
  });

  const declined = await cli.run("rollback", "web", "-f", file);
  expect(declined).toMatchObject({ exitCode: 1, questions: ["Go back to this? Type yes:"] });
  expect(declined.stdout).toMatch(
    /^here\/web goes from record 2 back to record 1, applied \S+ by ann@desk\n/,
  );
  expect(declined.stdout).toMatch(/replace, because.*LOG +2 → 1/s);
  expect(declined.stdout).toContain("the next apply goes forward again");
  expect(declined.stdout).toContain("Nothing has been touched.");
  expect(await cli.run("rollback", "web", "-f", file)).toMatchObject({ exitCode: 0 });
  expect((await cli.run("plan", "-f", file)).exitCode).toBe(2);
  write(cli, "1");
  expect((await cli.run("plan", "-f", file)).exitCode).toBe(0);

  const back = await cli.run("rollback", "web", "--to", "2", "-f", file, "--yes", "--json");
  expect(back.exitCode).toBe(0);
  const [first] = back.stdout.split("\n");
  expect(JSON.parse(first ?? "")).toMatchObject({
    type: "rollback",
    targets: [{ host: "here", pod: "web", from: 3, to: 2, appliedBy: "ann@desk" }],
  });
  const runs = await cli.run("history", "--audit", "-f", file);
  expect(runs.stdout).toMatch(/here +shop +\S+ +ann +desk +rollback +done +replace web\n/);
  expect(
    JSON.parse((await cli.run("history", "--audit", "--json", "-f", file)).stdout),
  ).toMatchObject({
    runs: [
      { command: "rollback" },
      { command: "rollback" },
      { command: "apply" },
      { command: "apply" },
    ],
  });
});

test("what cannot be gone back to is told with what can, and nothing is done", async () => {
  const cli = fakeCli();
  const file = write(cli, "1");
  const fails = async (...argv: readonly string[]): Promise<string> => {
    const { exitCode, stderr } = await cli.run(...argv, "-f", file);
    expect(exitCode).toBe(1);
    return stderr;
  };
  expect(await fails("rollback", "web", "--yes")).toContain("it keeps no old record");
  expect(await fails("rollback", "web")).toContain("look at stowage history, then use --yes");
  expect(await fails("rollback", "wbe", "--yes")).toContain("did you mean web");
  expect(await fails("rollback", "--yes")).toContain("stowage rollback");
  expect(await fails("history", "wbe")).toContain("there are records of none");
  expect(await fails("history", "web", "--audit")).toContain("a run is of a whole host");
  expect(await fails("rollback", "web", "--to", "0", "--yes")).toContain("--to");
  await cli.run("apply", "-f", file, "--yes");
  expect(await fails("rollback", "web", "--to", "1", "--yes")).toContain(
    "record 1 is the current one",
  );
});

test("a pod of a service goes back on one host, though its rollout or its service was declared otherwise then", async () => {
  const cli = fakeCli();
  const declare = (log: string, service: object) => {
    const manifest = simManifest(cli.directory, { env: { LOG: log } });
    const { web } = manifest.hosts.here.pods;
    const engine = { kind: "sim", file: join(cli.directory, "there.json") };
    const here = { ...manifest.hosts.here, pods: { web: { ...web, ...service } } };
    return cli.write("fleet.json", { ...manifest, hosts: { here, there: { ...here, engine } } });
  };
  const file = declare("1", { service: "old", rollout: { maxUnavailable: 1 } });
  expect((await cli.run("apply", "-f", file, "--yes", "--settle", "0s")).exitCode).toBe(0);
  declare("2", { service: "web", rollout: { maxUnavailable: 1 } });
  expect((await cli.run("apply", "-f", file, "--yes", "--settle", "0s")).exitCode).toBe(0);
  // another policy is a record of its own, and nothing that anybody wants to go back to
  declare("2", { service: "web", rollout: { maxUnavailable: 2 } });
  expect((await cli.run("apply", "-f", file, "--yes", "--settle", "0s")).exitCode).toBe(0);

  const back = await cli.run(
    "rollback",
    "web",
    "--host",
    "here",
    "-f",
    file,
    "--yes",
    "--settle",
    "0s",
  );
  expect(back).toMatchObject({ exitCode: 0, stderr: "" });
  expect(back.stdout).toMatch(/^here\/web goes from record 3 back to record 1,/);
  expect(back.stdout).toMatch(/replace, because.*LOG +2 → 1/s);
  declare("1", { service: "web", rollout: { maxUnavailable: 2 } });
  expect((await cli.run("plan", "-f", file, "--host", "here")).exitCode).toBe(0);
});
