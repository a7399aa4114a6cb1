import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";
import { SimMachine } from "../../engines/sim/index.ts";

type Cli = ReturnType<typeof fakeCli>;

function write(
  cli: Cli,
  over: Readonly<Record<string, unknown>> = {},
  name = "fleet.json",
): string {
  const manifest = simManifest(cli.directory);
  const pod = {
    containers: {
      web: { image: "localhost/hello:1", mounts: [{ volume: "data", path: "/data" }] },
    },
    volumes: { data: { kind: "named", name: "data" } },
  };
  const hosts = { here: { ...manifest.hosts.here, pods: { web: pod } } };
  return cli.write(name, { ...manifest, hosts, ...over });
}

/** All that is on the simulated machine. */
function look(cli: Cli) {
  return new SimMachine({ file: join(cli.directory, "sim.json") }).read((state) => ({
    pods: Object.keys(state.pods),
    images: Object.keys(state.images),
    files: Object.keys(state.files).sort(),
    links: Object.keys(state.links),
    directories: Object.keys(state.directories).sort(),
  }));
}

const CLEAN = { pods: [], images: [], files: [], links: [] };

test("shows all that would go, asks, takes it, and names what it leaves; from outside there is no more", async () => {
  const cli = fakeCli({ answers: [false, true] });
  const file = write(cli);
  expect(await cli.run("apply", "-f", file, "--yes")).toMatchObject({ exitCode: 0 });
  const before = look(cli);
  const declined = await cli.run("uninstall", "--host", "here", "-f", file);
  expect(declined.exitCode).toBe(1);
  expect(declined.questions).toEqual(["Remove all of this from host here? Type yes:"]);
  expect(declined.stdout).toMatch(/- web +remove/);
  expect(declined.stdout).toContain("- /var/lib/stowage/audit.log");
  expect(declined.stdout).toMatch(
    /volume data of fleet shop \(\S+\): data is only deleted with --volumes/,
  );
  expect(declined.stdout).toContain("fleet shop still declares host here: the next apply puts");
  expect(look(cli).files).toEqual(before.files);

  const done = await cli.run("uninstall", "--host", "here", "-f", file);
  expect(done).toMatchObject({ exitCode: 0, stderr: "" });
  expect(done.stdout).toContain(
    "Done: nothing of Stowage's is left on host here, except what is listed.",
  );
  const after = look(cli);
  expect(after).toMatchObject({ ...CLEAN });
  expect(after.directories.filter((path) => path.includes("stowage"))).toEqual(
    expect.arrayContaining(["/var/lib/stowage/owner-1/shop/.volumes/data"]),
  );
  expect(after.directories.some((path) => path.startsWith("/run/stowage"))).toBe(false);

  const data = await cli.run(
    "uninstall",
    "--host",
    "here",
    "-f",
    file,
    "--volumes",
    "--yes",
    "--yes-delete-data",
    "--json",
  );
  const lines = data.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({
    type: "report",
    status: "done",
    leaves: [],
    deletedVolumes: ["here/data"],
  });
  expect(look(cli).directories.filter((path) => path.includes("stowage"))).toEqual([]);
  const again = await cli.run("uninstall", "--host", "here", "-f", file, "--yes");
  expect(again).toMatchObject({ exitCode: 0 });
  expect(again.stdout).toContain("No fleet has anything on host here.");
});

test("other fleets on the host end only when that is said", async () => {
  const cli = fakeCli();
  const own = write(cli);
  const other = write(cli, { name: "store", id: "owner-2" }, "other.json");
  for (const file of [own, other]) await cli.run("apply", "-f", file, "--yes");
  const refused = await cli.run("uninstall", "--host", "here", "-f", own, "--yes");
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain(
    "it holds other fleets: store (owner owner-2); remove them too with --all-fleets",
  );
  expect(look(cli).pods).toHaveLength(2);
  const address = ["--host", "local", "--engine", `sim:${join(cli.directory, "sim.json")}`];
  expect((await cli.run("uninstall", ...address, "--yes")).stderr).toContain(
    "it holds fleets: shop",
  );
  const done = await cli.run("uninstall", ...address, "--all-fleets", "--yes");
  expect(done).toMatchObject({ exitCode: 0 });
  expect(look(cli)).toMatchObject(CLEAN);
});

test("what somebody else put there stays and is named", async () => {
  const cli = fakeCli();
  const file = write(cli);
  await cli.run("apply", "-f", file, "--yes");
  const machine = new SimMachine({ file: join(cli.directory, "sim.json") });
  await machine.addForeignImage("example.test/own:1", `sha256:${"a".repeat(64)}`);
  await machine.setFile("/var/lib/stowage/note", { text: "mine" });
  await machine.setFile("/run/stowage/other/pid", { text: "1" });
  const { exitCode, stdout } = await cli.run("uninstall", "--host", "here", "-f", file, "--yes");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("/var/lib/stowage/note: Stowage did not make it");
  expect(look(cli).images).toEqual(["example.test/own:1"]);
  expect(look(cli).files).toEqual(["/run/stowage/other/pid", "/var/lib/stowage/note"]);
});

test("has to be answered for, and takes one host", async () => {
  const cli = fakeCli();
  const file = write(cli);
  const fails = async (...argv: readonly string[]) =>
    (await cli.run("uninstall", "-f", file, ...argv)).stderr;
  expect(await fails("--host", "here")).toContain("use --yes");
  expect(await fails("--yes")).toContain("no host is named; add --host HOST");
  expect(await fails("--host", "heer", "--yes")).toContain("did you mean here");
  expect(await fails("--host", "here", "--yes", "--volumes")).toContain("--yes-delete-data");
  expect(await fails("--host", "here", "--yes", "--yes-delete-data")).toContain("add --volumes");
  expect(await fails("--host", "here", "--yes", "--engine", "podman")).toContain(
    "the manifest sets that",
  );
});
