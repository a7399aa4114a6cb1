import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";

test("a manifest may begin with a mark of its encoding, and hold long texts", async () => {
  const cli = fakeCli();
  const manifest = simManifest(cli.directory);
  cli.write("fleet.json", `\uFEFF${JSON.stringify(manifest, undefined, 1)}`);
  expect((await cli.run("validate", "-f", "fleet.json")).exitCode).toBe(0);
  cli.write("long.json", `{ "a": "${"x".repeat(20_000_000)}" }`);
  expect((await cli.run("validate", "-f", "long.json")).stderr).toContain("a: unknown field");
});

test("a name that nothing can have is refused, not left out", async () => {
  const cli = fakeCli();
  cli.write("fleet.json", '{"version":"stowage/v1","hosts":{"__proto__":{}}}');
  const { exitCode, stderr } = await cli.run("validate", "-f", "fleet.json");
  expect(exitCode).toBe(1);
  expect(stderr).toContain('hosts.__proto__: the name "__proto__" cannot be set');
});

test("a directory that cannot be worked in is named", async () => {
  const cli = fakeCli();
  cli.write("file", "");
  const absent = await cli.run("-C", "nope", "plan");
  expect(absent.stderr).toContain('Cannot work in "nope": there is no such directory');
  expect((await cli.run("-C", "file", "plan")).stderr).toContain('"file": it is a file');
});

test("a manifest too deeply nested to be looked through is refused", async () => {
  const text = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
  const cli = fakeCli();
  writeFileSync(join(cli.directory, "fleet.json"), text);
  const { exitCode, stderr } = await cli.run("validate", "-f", "fleet.json");
  expect(exitCode).toBe(1);
  // a Node whose JSON knows no depth comes to see that nothing of it is a manifest
  expect(stderr).toMatch(/it is nested too deeply|unknown field "a"/);
});
