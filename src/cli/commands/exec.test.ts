import { describe, expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";

async function applied(world: Parameters<typeof fakeCli>[0] = {}) {
  const cli = fakeCli(world);
  cli.write("fleet.json", simManifest(cli.directory));
  expect((await cli.run("apply", "--yes", "--file", "fleet.json")).exitCode).toBe(0);
  return {
    exec: (...words: readonly string[]) => cli.run("exec", "--file", "fleet.json", ...words),
  };
}

describe("stowage exec", () => {
  test("passes on both streams and the exit code of the command", async () => {
    const { exec } = await applied();
    expect(await exec("web", "--", "sh", "-c", "echo out; echo err >&2; exit 41")).toMatchObject({
      exitCode: 41,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  test("gives it what comes by a pipe with -i, and nothing without", async () => {
    const { exec } = await applied({ stdin: "typed" });
    const command = ["web", "-c", "web", "--", "sh", "-c", "cat; echo ."];
    expect((await exec("-i", ...command)).stdout).toBe("typed.\n");
    expect((await exec(...command)).stdout).toBe(".\n");
  });

  test("ends with 125 and the reason when it could not be run", async () => {
    const { exec } = await applied();
    const wrong = await exec("web", "-c", "wbe", "--", "true");
    expect(wrong).toMatchObject({ exitCode: 125, stdout: "" });
    expect(wrong.stderr).toContain("did you mean web?");
    expect((await exec("absent", "--", "true")).exitCode).toBe(125);
    const without = await exec("-t", "web", "--", "true");
    expect(without.stderr).toContain("leave -t out");
    expect(without.exitCode).toBe(125);
    // a 1 would be taken for the command's own
    for (const line of [["web"], ["--bogus", "web", "--", "true"]]) {
      expect((await exec(...line)).exitCode).toBe(125);
    }
  });

  test("ends with 127, as a shell does, for a program that is not there", async () => {
    const { exec } = await applied();
    const found = await exec("web", "--", "/nonexistent/program");
    expect(found).toMatchObject({ exitCode: 127, stdout: "" });
    expect(found.stderr).toBe(
      'Error: Cannot run "/nonexistent/program" in container "web": there is no such program in the container; check its image\n',
    );
  });

  test("says in its help which exit codes it ends with", async () => {
    const { stdout } = await fakeCli().run("exec", "--help");
    expect(stdout).toMatch(/\n\nExit codes: the command's own; 127 .*126 .*125 .*\.\n$/s);
  });

  test("asks which container is meant where several run", async () => {
    const cli = fakeCli();
    const manifest = simManifest(cli.directory);
    const { web } = manifest.hosts.here.pods.web.containers;
    const containers = { web, side: web };
    const { here } = manifest.hosts;
    const hosts = { here: { ...here, pods: { web: { containers } } } };
    cli.write("fleet.json", { ...manifest, hosts });
    await cli.run("apply", "--yes", "--file", "fleet.json");
    const found = await cli.run("exec", "--file", "fleet.json", "web", "--", "true");
    expect(found.exitCode).toBe(125);
    expect(found.stderr).toContain("name one with --container");
  });
});
