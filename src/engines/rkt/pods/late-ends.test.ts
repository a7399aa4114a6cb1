import { expect, test } from "vitest";
import type { HostSnapshot, SnapshotRequest } from "../../../host/index.ts";
import type { RktContext } from "../context.ts";
import { appName, RktLayout } from "../layout.ts";
import { withLateEnds } from "./late-ends.ts";

const identity = { owner: "o", fleet: "shop", pod: "web", host: "a", generation: 1 };
const layout = new RktLayout({ stateDir: "/s", runDir: "/r" }, "/var/lib/rkt");
const exit = `${layout.podDir("stw-web-1-x")}/main.exit`;

/** What a read saw in which a supervisor wrote an end after its file was looked for, and went before it was. */
async function read(supervised: boolean) {
  const asked: SnapshotRequest[] = [];
  const host = {
    snapshot: async (request: SnapshotRequest) => {
      asked.push(request);
      return { files: new Map([[exit, "137 2026-01-01T00:00:00Z \n"]]) };
    },
  };
  const assemble = ({ files }: HostSnapshot) => ({
    pods: [
      {
        name: "stw-web-1-x",
        identity,
        pids: new Map([["main", 12]]),
        exits: new Map([...files.values()].map((text) => ["main", String(text)])),
      },
    ],
    processes: new Map(),
    supervised: new Map(supervised ? [[appName(identity, "main"), [11]]] : []),
  });
  const context = { host, layout } as unknown as RktContext;
  const none = { files: new Map() } as unknown as HostSnapshot;
  const { pods } = await withLateEnds(context, none, assemble, undefined);
  return { asked, exits: pods[0]?.exits };
}

test("an end that was written while its pod was read is found", async () => {
  const { asked, exits } = await read(false);
  expect(asked).toEqual([{ files: [exit] }]);
  expect(exits?.get("main")).toContain("137");
});

test("nothing is read again where a supervisor is still to write it", async () => {
  const { asked } = await read(true);
  expect(asked).toEqual([]);
});
