import { join } from "node:path";
import { expect, test } from "vitest";
import { makeImage } from "../../../scripts/lib/make-image.ts";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";

test("a plan warns of a secret that the image's user cannot read, until its owner is said", async () => {
  const cli = fakeCli({ env: { DB: "x" } });
  const plan = async (file: object) => {
    const files = { "/run/secrets/db": { secret: { fromEnv: "DB" }, ...file } };
    cli.write("fleet.json", simManifest(cli.directory, { files }));
    const config = { cmd: ["sh", "-c", "sleep 1000"], user: "1000" };
    makeImage({ out: join(cli.directory, "image"), reference: "localhost/hello:1", config });
    return await cli.run("plan", "--file", "fleet.json");
  };
  const warned = await plan({});
  expect(warned.stdout).toContain("web runs as 1000, as its image says: it cannot read the file");
  expect(warned.stdout).toContain('set uid: 1000 there, or mode: "0444"');
  expect(warned.exitCode).toBe(2);
  expect((await plan({ uid: 1000 })).stdout).not.toContain("cannot read");
});
