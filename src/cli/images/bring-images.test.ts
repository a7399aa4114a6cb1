import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";

test.each(["pull", "push"])(
  "stowage %s names a host that it did not reach, also where nothing else is to be done",
  async (verb) => {
    const cli = fakeCli();
    const { hosts, ...fleet } = simManifest(cli.directory);
    const socket = join(cli.directory, "nobody.sock");
    const away = { ...hosts.here, engine: { kind: "containerd", socket } };
    cli.write("fleet.json", { ...fleet, hosts: { away } });
    const human = await cli.run(verb, "--file", "fleet.json");
    expect(human).toMatchObject({ exitCode: 1, stderr: "" });
    expect(human.stdout).toMatch(/^away {2}not done: .*\n.*Cannot reach containerd at/m);
    const { exitCode, stdout } = await cli.run(verb, "--file", "fleet.json", "--json");
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
      status: "incomplete",
      outcomes: [{ id: "away/unreachable", host: "away", status: "not-run" }],
    });
  },
);
