import { describe, expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";
import type { EngineEvent } from "../../engine/index.ts";
import type { HostReading } from "../../reconcile/index.ts";
import { createConnector } from "../connector.ts";

describe("stowage watch", () => {
  test("once makes what is declared, and has nothing to do after that", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    const first = await cli.run("watch", "-f", "fleet.json", "--once", "--json");
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    const events = first.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; level: string; at: string });
    expect(events.map(({ type }) => type)).toContain("changed");
    expect(new Set(events.map(({ level }) => level))).toEqual(new Set(["info"]));
    expect((await cli.run("plan", "-f", "fleet.json")).exitCode).toBe(0);
    const again = await cli.run("watch", "-f", "fleet.json", "--once");
    expect(again).toMatchObject({ exitCode: 0, stdout: "" });
  });

  test("refuses what it cannot be", async () => {
    const cli = fakeCli();
    cli.write("fleet.json", simManifest(cli.directory));
    const run = async (...args: readonly string[]) => {
      const { exitCode, stderr } = await cli.run("watch", "-f", "fleet.json", "--once", ...args);
      expect(exitCode).toBe(1);
      return stderr;
    };
    expect(await run("--drift", "some")).toContain("neither mend nor report");
    expect(await run("--interval", "0")).toContain("it must be above 0");
    expect(await run("--metrics-port", "70000")).toContain("the highest port is 65535");
    expect(await run("--ignore-field", "containers.*.memory")).toContain("no pod has it");
  });
});

describe("stowage events", () => {
  test("shows what the engines tell of the fleet's pods, and nothing of others", async () => {
    const stop = new AbortController();
    const pod = { owner: "owner-1", fleet: "shop", host: "here", pod: "web", generation: 2 };
    const at = "2026-01-01T00:00:00.000Z";
    const told: readonly EngineEvent[] = [
      { kind: "listening", at },
      { kind: "started", at, pod: { ...pod, fleet: "other" }, container: "web" },
      { kind: "ended", at, pod, container: "web", exitCode: 3 },
    ];
    const engine = {
      capabilities: async () => ({}),
      events: async function* () {
        yield* told;
        stop.abort();
      },
    };
    const reading = { engine, [Symbol.asyncDispose]: async () => {} } as unknown as HostReading;
    const connector = { ...createConnector(), read: async () => reading };
    const cli = fakeCli({ drain: stop.signal, connector });
    cli.write("fleet.json", simManifest(cli.directory));
    const { exitCode, stdout } = await cli.run("events", "-f", "fleet.json", "--json");
    expect(exitCode).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { at, host: "here", kind: "ended", pod: "web", generation: 2, container: "web", exitCode: 3 },
    ]);
  });
});
