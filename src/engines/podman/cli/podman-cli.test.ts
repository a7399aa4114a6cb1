import { expect, test } from "vitest";
import { type Host, openLocalHost, type RunOptions } from "../../../host/index.ts";
import { PodmanCli } from "./podman-cli.ts";

const cliOf = (host: Host, program = "podman") =>
  new PodmanCli(host, { program, globalArgs: [], env: {} });

test("a command that nobody gave a time has one: some of podman's never end", async () => {
  const given: RunOptions[] = [];
  const host = {
    run: async (_: unknown, options: RunOptions) => {
      given.push(options);
      return { exitCode: 0, stdout: "", stderr: "" };
    },
  } as unknown as Host;
  const cli = cliOf(host);
  for (const run of [cli.run.bind(cli), cli.read.bind(cli), cli.change.bind(cli)])
    await run(["ps"], { doing: "list containers" });
  expect(given).toHaveLength(3);
  for (const { timeoutMs } of given) expect(timeoutMs).toBeLessThanOrEqual(120_000);
});

test("a podman that hangs is ended, and told", async () => {
  await using host = openLocalHost();
  const hanging = cliOf(host, "sleep").run(["1000"], { doing: "list containers", timeoutMs: 50 });
  await expect(hanging).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("look for a hanging podman and stop it"),
  });
});

test("what it prints is read from stdout alone, whatever it warns of beside it", async () => {
  const said = { exitCode: 0, stdout: "[]", stderr: 'time="x" level=warning msg="noise"' };
  const host = { run: async () => said } as unknown as Host;
  expect(await cliOf(host).read(["ps"], { doing: "list containers" })).toBe("[]");
});
