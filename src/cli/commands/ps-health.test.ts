import { describe, expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";

const health = { kind: "exec", command: ["sh", "-c", "[ ! -e /tmp/bad ]"] };

async function applied(spec: Readonly<Record<string, unknown>>) {
  const cli = fakeCli();
  cli.write("fleet.json", simManifest(cli.directory, spec));
  const stowage = (name: string, ...words: readonly string[]) =>
    cli.run(name, "--file", "fleet.json", ...words);
  expect((await stowage("apply", "--yes")).exitCode).toBe(0);
  return stowage;
}

describe("health in stowage ps", () => {
  test("is what a container's probe says now, with the reason, in the table and in JSON", async () => {
    const stowage = await applied({ health });
    expect((await stowage("ps")).stdout).toMatch(/HEALTH +IMAGE\n.* healthy /);
    await stowage("exec", "web", "--", "touch", "/tmp/bad");
    expect((await stowage("ps")).stdout).toMatch(/ unhealthy: its probe ended with exit code 1 /);
    const { pods } = JSON.parse((await stowage("ps", "--json")).stdout);
    expect(pods[0].containers[0].health).toEqual({
      state: "unhealthy",
      reason: "its probe ended with exit code 1",
    });
  });

  test("is not asked for with --no-health, and not told of a container without a probe", async () => {
    const stowage = await applied({ health });
    expect((await stowage("ps", "--no-health")).stdout).toMatch(/pid \d+ +- +localhost/);
    const without = await applied({});
    expect((await without("ps")).stdout).toMatch(/pid \d+ +- +localhost/);
  });
});
