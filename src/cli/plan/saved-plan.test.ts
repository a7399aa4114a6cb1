import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";

test("a saved plan that was edited is refused, and one that was only laid out otherwise is not", async () => {
  const cli = fakeCli();
  const file = cli.write("fleet.json", simManifest(cli.directory));
  await cli.run("plan", "-f", file, "--out", "shop.plan");
  const text = readFileSync(join(cli.directory, "shop.plan"), "utf8");
  const { plan, ...rest } = JSON.parse(text);
  cli.write("shop.plan", { ...rest, plan: { ...plan, hosts: [] } });
  const { exitCode, stderr } = await cli.run("apply", "shop.plan", "--yes");
  expect(exitCode).toBe(1);
  expect(stderr).toContain('shop.plan": it was changed since it was written; change the decl');
  cli.write("shop.plan", JSON.stringify(JSON.parse(text), undefined, 2));
  expect((await cli.run("apply", "shop.plan", "--yes", "--settle", "0s")).exitCode).toBe(0);
});
