import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeCli } from "../../test/support/cli-context.ts";

test.each([
  ["nested", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
  ["long", `{ "a": "${"x".repeat(20_000_000)}" }`],
])("a manifest too %s to be looked through is said to be so", async (_, text) => {
  const cli = fakeCli();
  writeFileSync(join(cli.directory, "fleet.json"), text);
  const { exitCode, stderr } = await cli.run("validate", "-f", "fleet.json");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("a text in it is too long, or it is nested too deeply");
});
