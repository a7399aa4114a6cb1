import { afterEach, expect, test, vi } from "vitest";
import { fakeCli } from "../../../test/support/cli-context.ts";
import { fakeRegistry } from "../../../test/support/registry/fake-registry.ts";

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ["plan", ["--json"], "stderr"],
  ["images", ["lock"], "stderr"],
  ["apply", ["--yes"], "stdout"],
] as const)("%s says which registry it waits for, and since when", async (command, more, where) => {
  await using registry = await fakeRegistry(() => {
    // the timer was set before the question came
    if (vi.isFakeTimers()) vi.advanceTimersByTime(5_000);
    return false;
  });
  const image = `${registry.domain}/app:1`;
  const cli = fakeCli();
  cli.write("fleet.json", {
    version: "stowage/v1",
    name: "shop",
    id: "owner-1",
    hosts: {
      here: {
        address: "local",
        engine: { kind: "sim", file: `${cli.directory}/sim.json` },
        pods: { web: { containers: { web: { image } } } },
      },
    },
  });
  // the HTTP client keeps the first timer that it gets, for all that run in this process after it
  await cli.run("images", "lock", "-f", "fleet.json");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const { exitCode, [where]: said, stderr } = await cli.run(command, ...more, "-f", "fleet.json");
  expect(said).toContain(
    `waiting for registry ${registry.domain} for 5 s: read manifest "1" of ${registry.domain}/app; it times out when nothing arrives for 60 s\n`,
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`registry ${registry.domain} does not have it`);
});
