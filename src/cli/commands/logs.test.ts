import { describe, expect, test } from "vitest";
import { fakeCli, fakeContext, simManifest } from "../../../test/support/cli-context.ts";
import { runCli } from "../run-cli.ts";

async function applied() {
  const cli = fakeCli();
  cli.write("fleet.json", simManifest(cli.directory));
  expect((await cli.run("apply", "--yes", "--file", "fleet.json")).exitCode).toBe(0);
  return async (...words: readonly string[]) =>
    await cli.run("logs", "--file", "fleet.json", "web", ...words);
}

describe("stowage logs --since", () => {
  test("takes a time span, one of several units too, and a moment with its zone", async () => {
    const logs = await applied();
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    for (const since of ["10m", "1h30m", "2d", "3600", hourAgo, hourAgo.replace("Z", "+00:00")]) {
      const { exitCode, stdout, stderr } = await logs("--since", since);
      expect({ exitCode, stdout, stderr }, since).toEqual({
        exitCode: 0,
        stdout: "hello\n",
        stderr: "",
      });
    }
    expect((await logs("--since", inAnHour, "--tail", "5")).stdout).toBe("");
    expect((await logs("--since", inAnHour.replace("Z", "+23:59"))).stdout).toBe("hello\n");
  });

  test.each([
    "yesterday",
    "30m1h",
    "-5m",
    "10 m",
    "2026-01-31",
    "2026-01-31T12:00:00",
    "2026-02-30T12:00:00Z",
    "2026-01-31T25:00:00Z",
  ])("refuses %j, naming the flag and what to write", async (since) => {
    const { exitCode, stdout, stderr } = await fakeCli().run("logs", "web", `--since=${since}`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(`Cannot use --since ${JSON.stringify(since)}`);
    expect(stderr).toContain("write --since 10m");
  });
});

test("stowage logs tells whoever names the manifest by -f that it is --follow", async () => {
  const cli = fakeCli();
  const { exitCode, stdout, stderr } = await cli.run("logs", "web", "-f", "lab/fleet.json");
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stdout + stderr).toContain(
    "-f is --follow here; name a manifest with --file lab/fleet.json",
  );
});

test("stowage logs --json prints an object for each line, and nothing else", async () => {
  const logs = await applied();
  const { exitCode, stdout, stderr } = await logs("--json");
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([{ host: "here", pod: "web", container: "web", line: "hello" }]);
  expect((await logs("--json", "--tail", "0")).stdout).toBe("");
});

test("what is followed goes on with the generation in its place, and ends where there is none", async () => {
  const cli = fakeCli();
  const says = (word: string) =>
    simManifest(cli.directory, { command: ["sh", "-c", `echo ${word}; sleep 1000`] });
  const apply = async (word: string): Promise<void> => {
    cli.write("fleet.json", says(word));
    expect((await cli.run("apply", "--file", "fleet.json", "--yes")).exitCode).toBe(0);
  };
  await apply("first");
  const { context, stdout, stderr } = fakeContext(cli.directory, {});
  const following = runCli(["logs", "--file", "fleet.json", "-f", "--tail", "1", "web"], context);
  await expect.poll(stdout.text).toBe("first\n");
  await apply("second");
  await expect.poll(stdout.text).toBe("first\nsecond\n");
  expect(stderr.text()).toBe("here/web was replaced: continuing with its generation 2\n");
  expect((await cli.run("destroy", "--file", "fleet.json", "--yes")).exitCode).toBe(0);
  expect(await following).toBe(0);
  expect(stderr.text()).toContain("here/web was removed, and its log with it\n");
  expect(stdout.text()).toBe("first\nsecond\n");
});
