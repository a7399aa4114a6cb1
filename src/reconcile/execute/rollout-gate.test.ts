import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { PauseWatch } from "./pause-watch.ts";
import { RolloutGate } from "./rollout-gate.ts";

test("a host that is lost between two waves cuts the pause short for nobody else", async () => {
  const looked: (readonly string[])[] = [];
  const pauses = {
    holds: () => undefined,
    look: async (changes: readonly string[]) => {
      looked.push(changes);
    },
  } as unknown as PauseWatch;
  const gate = new RolloutGate(
    {
      service: "web",
      policy: { pauseMs: 3_600_000 },
      waves: [
        { kind: "wave", changes: ["a/web"] },
        { kind: "wave", changes: ["b/web", "c/web"] },
      ],
      done: 0,
    },
    pauses,
  );
  const begun: string[] = [];
  const [lost, other] = [new AbortController(), new AbortController()];
  const begins = [
    gate.begin("b/web", lost.signal).then(() => begun.push("b/web")),
    gate.begin("c/web", other.signal).then(() => begun.push("c/web")),
  ];
  lost.abort();
  await begins[0];
  await nextTurn();
  expect(begun).toEqual(["b/web"]);
  // whether it was paused is asked when the wait is over
  expect(looked).toEqual([]);
  other.abort();
  await begins[1];
});
