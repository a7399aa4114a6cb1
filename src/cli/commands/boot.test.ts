import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeCli } from "../../../test/support/cli-context.ts";

const WHO = ["--owner", "acme", "--fleet", "shop", "--host", "here"];

test("needs to be told whose pods it is to bring back", async () => {
  const cli = fakeCli();
  const { exitCode, stderr } = await cli.run("boot", "--fleet", "shop");
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("--owner is missing")]);
});

test("says what is missing where nothing was applied, or by somebody else", async () => {
  const cli = fakeCli();
  const stateDir = join(cli.directory, "state");
  const boot = () => cli.run("boot", ...WHO, "--state-dir", stateDir);
  expect((await boot()).stderr).toMatch(/there is no \S+\/acme\/shop\/\.roster\.json/);
  mkdirSync(join(stateDir, "acme/shop"), { recursive: true });
  const roster = {
    version: 2,
    owner: "acme",
    fleet: "shop",
    manager: "cli",
    hosts: {},
    appliedAt: "2026-01-01T00:00:00.000Z",
    appliedBy: "ann@desk",
  };
  writeFileSync(join(stateDir, "acme/shop/.roster.json"), JSON.stringify(roster));
  expect((await boot()).stderr).toContain("names no such host");
  writeFileSync(join(stateDir, "acme/shop/.roster.json"), "{");
  expect(await boot()).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("cannot be read; apply the fleet again"),
  });
});
