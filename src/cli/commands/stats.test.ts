import { expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";
import { renderStats, statsJson } from "../pods/render-stats.ts";
import { paintOf } from "../text/paint.ts";

test("stowage stats lists running containers, and says of what is not told that it is not", async () => {
  const cli = fakeCli();
  cli.write("fleet.json", simManifest(cli.directory));
  const stowage = (...words: readonly string[]) => cli.run(...words, "--file", "fleet.json");
  expect((await stowage("stats")).stdout).toContain("has no running container");
  await stowage("apply", "--yes");
  const { stdout, exitCode } = await stowage("stats", "web");
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^here +web +sim +web +- +- +- +- +- +-$/m);
  const { containers } = JSON.parse((await stowage("stats", "--json")).stdout);
  const unknown = { cpuPercent: null, memoryBytes: null, pids: null, sentBytes: null };
  expect(containers).toMatchObject([{ host: "here", pod: "web", generation: 1, ...unknown }]);
  const mistyped = await stowage("stats", "wab");
  expect(mistyped.exitCode).toBe(1);
  expect(mistyped.stderr).toContain('Cannot show pod "wab"');
  expect(mistyped.stderr).toContain("did you mean web?");
});

test("stowage stats lists pods by name, whatever order the engine has them in", async () => {
  const cli = fakeCli();
  const manifest = simManifest(cli.directory);
  const { here } = manifest.hosts;
  for (const names of [["web"], ["web", "alpha"]]) {
    const pods = Object.fromEntries(names.map((name) => [name, here.pods.web]));
    cli.write("fleet.json", { ...manifest, hosts: { here: { ...here, pods } } });
    await cli.run("apply", "--yes", "--file", "fleet.json");
  }
  const { stdout } = await cli.run("stats", "--json", "--file", "fleet.json");
  const { containers } = JSON.parse(stdout) as { containers: readonly { pod: string }[] };
  expect(containers.map(({ pod }) => pod)).toEqual(["alpha", "web"]);
});

test("the table says each number in its unit", () => {
  const row = { host: "a", pod: "web", generation: 1, engine: "podman", container: "app", pid: 1 };
  const numbers = {
    cpuPercent: 12.34,
    memoryBytes: 3 * 1024 * 1024,
    memoryLimitBytes: 64 * 1024 * 1024,
    pids: 4,
    pidsLimit: 50,
    receivedBytes: 2000,
    sentBytes: 3_000_000,
    readBytes: 0,
    writtenBytes: 1,
  };
  expect(renderStats([{ ...row, ...numbers }], paintOf(false))).toMatch(
    /a +web +podman +app +12\.3 % +3 MiB +64 MiB +4 of 50 +2 kB \/ 3 MB +0 B \/ 1 B/,
  );
});

test("numbers that are counted with other processes are not told, with the reason", () => {
  const row = { host: "a", pod: "web", generation: 1, engine: "podman", pid: 1, pids: 2 };
  const shared = ["cpuUs", "memoryBytes"] as const;
  const rows = ["app", "log"].map((container) => ({ ...row, container, shared }));
  const table = renderStats(rows, paintOf(false));
  expect(table).toMatch(/^a +web +podman +app +- +- +- +2 +- +-$/m);
  expect(table).toMatch(
    /^not known of a\/web\/app, a\/web\/log: CPU, memory; the kernel counts it/m,
  );
  expect(statsJson({ ...row, container: "app", shared })).toMatchObject({
    cpuPercent: null,
    memoryBytes: null,
    pids: 2,
    notKnown: { numbers: ["CPU", "memory"], why: expect.stringContaining("no cgroup of its own") },
  });
});
