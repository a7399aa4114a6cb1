import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { describeEngine } from "./engine-suite.ts";
import { simFixture } from "./support/sim-fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "stowage-sim-"));
let files = 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function newFile(): string {
  files += 1;
  return join(folder, `host-${files}.json`);
}

describeEngine(simFixture("sim in memory"));
describeEngine(simFixture("sim in a file", { newFile }));
describeEngine(simFixture("sim whose pods run once", { runOnce: true }));
