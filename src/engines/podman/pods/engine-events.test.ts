import { expect, test } from "vitest";
import { identityLabels } from "../../../engine/index.ts";
import type { PodmanContext } from "../context.ts";
import { engineEvents } from "./engine-events.ts";

const IDENTITY = { owner: "me", fleet: "shop", host: "here", pod: "web", generation: 1 };
const Attributes = identityLabels(IDENTITY, "main");

/** What is told of lines that podman prints. */
async function told(...lines: readonly string[]) {
  const host = {
    snapshot: async () => ({ existing: new Set(["/root/db.sql"]) }),
    runLines: async function* () {
      yield* lines;
    },
  };
  const cli = { command: (args: readonly string[]) => args, env: {} };
  const context = { host, cli, facts: { graphRoot: "/root" } } as unknown as PodmanContext;
  const events = [];
  for await (const event of engineEvents(context, undefined)) events.push(event);
  return events.slice(1);
}

const died = (more: string): string =>
  `{"Status":"died","Attributes":${JSON.stringify(Attributes)},${more}}`;
const ended = { kind: "ended", pod: IDENTITY, container: "main" };

test("when something happened is read in the form of each version, never from nanoseconds beyond a number", async () => {
  const lines = [
    died('"Time":"2025-11-25T23:28:32.508500553Z"'),
    died('"time":1764113312,"timeNano":1764113312508500553,"ContainerExitCode":3'),
  ];
  expect(await told(...lines)).toEqual([
    { ...ended, at: "2025-11-25T23:28:32.508Z" },
    { ...ended, at: "2025-11-25T23:28:32.000Z", exitCode: 3 },
  ]);
});

test("what is no event, nobody's, or podman's own affair is passed over", async () => {
  const foreign = '{"Status":"died","Attributes":null,"time":1}';
  const own = died('"time":1').replace("died", "cleanup");
  expect(await told("json", "", '{"Status":', foreign, own)).toEqual([]);
});
