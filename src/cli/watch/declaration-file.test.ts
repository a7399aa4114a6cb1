import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";
import { Arguments } from "../command-line/arguments.ts";
import { readFleetAt } from "../project/load-fleet.ts";
import { declarationFile } from "./declaration-file.ts";

async function open() {
  const { directory, write } = fakeCli();
  const manifest = simManifest(directory);
  const path = write("fleet.json", manifest);
  const args = new Arguments([], new Map());
  const lockFile = join(directory, "fleet.lock.json");
  const source = await declarationFile({ ...(await readFleetAt(path, args)), lockFile }, args);
  return { manifest, write, source };
}

test("a manifest that is written anew as it was, as every command of an app does, has not changed", async () => {
  const { manifest, write, source } = await open();
  write("fleet.json", manifest);
  expect(await source.changed()).toBeUndefined();
  write("fleet.json", { ...manifest, hosts: {} });
  await expect(source.changed()).rejects.toThrow("has no host");
  expect(await source.changed()).toBeUndefined();
});

test("a manifest that was broken and is what it was has changed, and so has one that differs", async () => {
  const { manifest, write, source } = await open();
  write("fleet.json", "{");
  await expect(source.changed()).rejects.toThrow("fleet.json");
  write("fleet.json", manifest);
  expect((await source.changed())?.manifest.name).toBe("shop");
  const { here } = manifest.hosts;
  write("fleet.json", { ...manifest, hosts: { here: { ...here, labels: { a: "b" } } } });
  expect((await source.changed())?.manifest.hosts["here"]?.labels).toEqual({ a: "b" });
});
