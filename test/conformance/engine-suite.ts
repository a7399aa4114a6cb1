import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
import { abortCases } from "./cases/abort-cases.ts";
import { execCases } from "./cases/exec-cases.ts";
import { execStreamCases } from "./cases/exec-stream-cases.ts";
import { exportCases } from "./cases/export-cases.ts";
import { foreignCases } from "./cases/foreign-cases.ts";
import { imageCases } from "./cases/image-cases.ts";
import { infoCases } from "./cases/info-cases.ts";
import { logCases } from "./cases/log-cases.ts";
import { networkCases } from "./cases/network-cases.ts";
import { podCases } from "./cases/pod-cases.ts";
import { prepareCases } from "./cases/prepare-cases.ts";
import { processCases } from "./cases/process-cases.ts";
import { removeCases } from "./cases/remove-cases.ts";
import { eventCases, restartCases } from "./cases/restart-cases.ts";
import { securityCases } from "./cases/security-cases.ts";
import { startCases } from "./cases/start-cases.ts";
import { stopCases } from "./cases/stop-cases.ts";
import { updateCases } from "./cases/update-cases.ts";
import { usageCases } from "./cases/usage-cases.ts";
import { volumeCases } from "./cases/volume-cases.ts";
import type { EngineFeatures, EngineFixture } from "./support/engine-fixture.ts";
import { EngineUnderTest } from "./support/engine-under-test.ts";
import type { Suite } from "./support/suite.ts";

const WHY_NOT: Readonly<Record<keyof EngineFeatures, string>> = {
  kernel: "its processes run under no kernel",
  confined: "its processes are not kept apart from the host",
  imageFiles: "its images have no files",
  keepsLayer: "its pods run once",
  softLimits: "it raises soft limits to the hard ones",
  readOnlyRoot: "it cannot make a root file system read-only",
  changesUlimits: "it changes limits of processes by a new generation only",
  renamesImages: "it keeps an image under its name",
  restarts: "it starts nothing again by itself: stowage watch does",
  events: "it tells of nothing",
};

const THEMES = {
  "what it is": infoCases,
  images: imageCases,
  "exported images": exportCases,
  prepare: prepareCases,
  start: startCases,
  processes: processCases,
  restarts: restartCases,
  events: eventCases,
  logs: logCases,
  stop: stopCases,
  update: updateCases,
  remove: removeCases,
  "pods of several containers": podCases,
  volumes: volumeCases,
  networks: networkCases,
  "security defaults": securityCases,
  "objects of others": foreignCases,
  exec: execCases,
  "exec with streams": execStreamCases,
  usage: usageCases,
  aborts: abortCases,
} satisfies Readonly<Record<string, (suite: Suite) => void>>;

/** What cases are about. */
export type Theme = keyof typeof THEMES;

/**
 * The definition of the engine port: every engine passes it unchanged.
 *
 * One engine is opened for all cases; each has names of its own and leaves nothing.
 *
 * @param only these themes; absent: all
 */
export function describeEngine(fixture: EngineFixture, only?: readonly Theme[]): void {
  describe(`engine contract: ${fixture.name}`, () => {
    let opened: EngineUnderTest | undefined;
    const use = (): EngineUnderTest => {
      if (opened === undefined) throw new Error("The engine is only there inside cases");
      return opened;
    };
    beforeAll(async () => {
      opened = await EngineUnderTest.open(fixture);
    });
    afterEach(async () => await opened?.cleanUp());
    afterAll(async () => await opened?.opened.close());
    const suite = makeSuite(fixture, use);
    const themes = only ?? (Object.keys(THEMES) as Theme[]);
    for (const theme of themes) describe(theme, () => THEMES[theme](suite));
  });
}

function makeSuite(fixture: EngineFixture, use: () => EngineUnderTest): Suite {
  const it: Suite["it"] = (title, body) => {
    const run = async (): Promise<void> => await body(use());
    if (fixture.knownFailing?.[title] === undefined) test(title, run);
    else test.fails(`${title} (known: ${fixture.knownFailing[title]})`, run);
  };
  return {
    fixture,
    use,
    it,
    itWith: (feature, title, body) => {
      if (fixture.features[feature]) it(title, body);
      else test.skip(`${title} (skipped: ${WHY_NOT[feature]})`, async () => await body(use()));
    },
  };
}
