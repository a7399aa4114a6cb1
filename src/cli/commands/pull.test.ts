import { describe, expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";

describe("stowage pull", () => {
  test("brings what pods need and no pod, so that an apply has no image to bring", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    const pulled = await cli.run("pull", "-f", "fleet.json");
    expect(pulled).toMatchObject({ exitCode: 0, questions: [] });
    expect(pulled.stdout).toMatch(/image imported.*\nDone: 1 image pulled in /);
    expect((await cli.run("ps", "-f", "fleet.json")).stdout).toContain("absent");
    const images = await cli.run("images", "--json", "-f", "fleet.json");
    expect(JSON.parse(images.stdout)).toMatchObject({
      images: [{ engine: "sim", inUse: false, fleets: ["owner-1/shop"] }],
      unreachable: [],
    });
    const { stdout } = await cli.run("plan", "--json", "-f", "fleet.json");
    expect(stdout).toContain('"action":"create"');
    expect(stdout).not.toContain('"action":"import"');
    expect((await cli.run("pull", "-f", "fleet.json")).stdout).toBe(
      "Nothing to do: the hosts hold every image that their pods need.\n",
    );
  });

  test("lets go of no image, whatever the declaration says", async () => {
    const cli = fakeCli();
    const manifest = simManifest(cli.directory);
    cli.write("fleet.json", manifest);
    await cli.run("apply", "--yes", "-f", "fleet.json");
    const { here } = manifest.hosts;
    cli.write("fleet.json", { ...manifest, hosts: { here: { ...here, pods: {} } } });
    expect((await cli.run("pull", "-f", "fleet.json")).exitCode).toBe(0);
    expect((await cli.run("ps", "-f", "fleet.json")).stdout).toContain("running");
    expect((await cli.run("images", "-f", "fleet.json")).stdout).toMatch(/hello:1 .*yes +shop\n/);
  });
});

test("images of a fleet without any says so, and names the host that does not answer", async () => {
  const cli = fakeCli();
  const manifest = simManifest(cli.directory);
  cli.write("fleet.json", manifest);
  expect((await cli.run("images", "-f", "fleet.json")).stdout).toBe(
    "The hosts hold no image of fleet shop.\n",
  );
  const engine = { kind: "containerd", socket: `${cli.directory}/none.sock` };
  cli.write("gone.json", { ...manifest, hosts: { gone: { address: "local", engine, pods: {} } } });
  const { exitCode, stderr } = await cli.run("images", "-f", "gone.json");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("warning: host gone is not listed: ");
});
