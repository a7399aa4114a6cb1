import { join } from "node:path";
import { expect, test } from "vitest";
import { makeImage } from "../../../scripts/lib/make-image.ts";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";

const OTHER = "localhost/other:1";

test("shows what would go, asks, takes it away, and says when there is nothing", async () => {
  const cli = fakeCli({ answers: [true] });
  const manifest = simManifest(cli.directory);
  makeImage({ out: join(cli.directory, "image"), reference: OTHER });
  const file = cli.write("fleet.json", manifest);
  const more = { containers: { main: { image: OTHER, command: ["sleep", "1000"] } } };
  const here = { ...manifest.hosts.here, pods: { ...manifest.hosts.here.pods, more } };
  const wider = { ...manifest, images: { ...manifest.images, [OTHER]: { layout: "image" } } };
  const widerFile = cli.write("wider.json", { ...wider, hosts: { here } });
  expect(await cli.run("apply", "-f", file, "--yes")).toMatchObject({ exitCode: 0 });
  expect(await cli.run("pull", "-f", widerFile)).toMatchObject({ exitCode: 0 });

  const shown = await cli.run("prune", "-f", file, "--dry-run");
  expect(shown.stdout).toMatch(/- image localhost\/other:1@\S+ is used by no pod; frees up to/);
  expect(shown.exitCode).toBe(2);
  const json = await cli.run("prune", "-f", file, "--dry-run", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({
    exitCode: 2,
    plan: { hostChanges: [{ action: "release", steps: [{ sizeBytes: expect.any(Number) }] }] },
  });

  const done = await cli.run("prune", "-f", file);
  expect(done.questions).toEqual(["Remove this? Type yes:"]);
  expect(done.stdout).toMatch(/Done: 1 change made/);
  expect(await cli.run("prune", "-f", file, "--dry-run")).toMatchObject({
    exitCode: 0,
    stdout: "Nothing to do: the hosts hold nothing to prune.\n",
  });
});

test("has to be answered for", async () => {
  const cli = fakeCli();
  const file = cli.write("fleet.json", simManifest(cli.directory));
  const { exitCode, stderr } = await cli.run("prune", "-f", file);
  expect([exitCode, stderr]).toEqual([
    1,
    expect.stringContaining("look at stowage prune --dry-run, then use --yes"),
  ]);
  const wrong = await cli.run("prune", "-f", file, "--older-than", "soon", "--dry-run");
  expect(wrong.stderr).toContain("it is not a time span");
});
