import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { reasonNotToReplay } from "../support/rkt/not-replayed.ts";
import { RKT_FIXTURES, readTranscripts, type Transcript } from "../support/rkt/recorded-run.ts";
import { comparable, mutated, replay } from "../support/rkt/replay.ts";
import { RktWorld } from "../support/rkt/rkt-world.ts";
import { REPLAYED, type Scenario } from "../support/rkt/scenarios.ts";

const baseName = (name: string) => name.replace(/\.(txt|json)$/, "");

const cases: readonly (readonly [string, Transcript, Scenario])[] = readTranscripts().flatMap(
  (transcript) => {
    const scenario = scenarioOf(transcript.name);
    return scenario === undefined ? [] : [[transcript.name, transcript, scenario] as const];
  },
);

/** Two transcripts differ in their endings alone. */
function scenarioOf(name: string): Scenario | undefined {
  return REPLAYED.get(name) ?? REPLAYED.get(baseName(name));
}

test("every transcript is replayed, or there is a reason why not", () => {
  const files = readdirSync(join(RKT_FIXTURES, "transcripts"));
  const untold = files.filter((name) => {
    const isReplayed = cases.some(([each]) => each === name);
    return isReplayed === (reasonNotToReplay(baseName(name)) !== undefined);
  });
  expect(untold).toEqual([]);
  const names = files.map(baseName);
  expect([...REPLAYED.keys()].filter((name) => !names.includes(name))).toEqual([]);
});

describeWithEngine("rkt", "rkt answers as it did when it was recorded", (rkt) => {
  const mine = cases.filter(([, , scenario]) => rkt.isDouble || scenario.doubleOnly !== true);

  test.concurrent.for(mine)("%s", async ([, transcript, scenario], { expect }) => {
    await using world = new RktWorld(rkt);
    const answer = comparable(await replay(transcript, scenario, world), scenario);
    expect(answer).toEqual(comparable(transcript, scenario));
    // the comparison must see one byte that is another
    expect(answer).not.toEqual(comparable(mutated(transcript, scenario), scenario));
  });
});
