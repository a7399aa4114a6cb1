import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { fakeCli } from "../../../test/support/cli-context.ts";

test("init makes a project with an owner of its own and says what comes next", async () => {
  const cli = fakeCli();
  const { exitCode, stdout } = await cli.run("init", "My Shop");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("cd My Shop");
  const read = (name: string): string => readFileSync(join(cli.directory, "My Shop", name), "utf8");
  expect(read("main.ts")).toContain('new Fleet(app, "my-shop"');
  await cli.run("init", "other");
  const idOf = (place: string): string =>
    JSON.parse(readFileSync(join(cli.directory, place, "cdktf.json"), "utf8")).projectId;
  expect(idOf("My Shop")).toMatch(/^[0-9a-f-]{36}$/);
  expect(idOf("My Shop")).not.toBe(idOf("other"));
});

test("init names the folder of its own package, from which npm can install it", async () => {
  const cli = fakeCli({ program: join(import.meta.dirname, "init.ts") });
  await cli.run("init", "shop");
  const read = (name: string): string => readFileSync(join(cli.directory, "shop", name), "utf8");
  const root = resolve(import.meta.dirname, "../../..");
  expect(JSON.parse(read("package.json")).dependencies).toEqual({ stowage: `file:${root}` });
  expect(read("README.md")).toContain("Stowage is on no registry");
});

test("init names a version where its package cannot be found", async () => {
  const cli = fakeCli({ program: "/nowhere/stowage" });
  await cli.run("init", "shop");
  const text = readFileSync(join(cli.directory, "shop", "package.json"), "utf8");
  expect(JSON.parse(text).dependencies.stowage).toMatch(/^\^\d/);
});

test("init overwrites nothing: one file in the way and none is made", async () => {
  const cli = fakeCli();
  cli.write("main.ts", "mine");
  const { exitCode, stderr } = await cli.run("init", "--name", "shop");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("main.ts is there already; choose another directory");
  expect(existsSync(join(cli.directory, "cdktf.json"))).toBe(false);
});

test("init refuses a name that no fleet can have", async () => {
  const { exitCode, stderr } = await fakeCli().run("init", "--name", "My_Shop");
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Cannot name a fleet "My_Shop": it must be lower-case letters');
});
