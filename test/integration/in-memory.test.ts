import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runInMemory } from "../../scripts/lib/in-memory.ts";
import { PROJECT_ROOT } from "../../scripts/lib/project-root.ts";

const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)(
  "a script that runs in memory sees of /tmp what it needs, and leaves nothing there",
  async () => {
    const folder = mkdtempSync("/tmp/stw a-");
    const other = mkdtempSync("/tmp/stw b-");
    onTestFinished(() => {
      for (const each of [folder, other]) rmSync(each, { recursive: true });
    });
    const script = join(folder, "script.cjs");
    const made = `${folder}-made`;
    writeFileSync(
      script,
      `const { existsSync, writeFileSync } = require("node:fs");
     const [made, other] = process.argv.slice(2);
     writeFileSync(made, "");
     process.exitCode = existsSync(other) ? 1 : 7;`,
    );
    expect(await runInMemory([script, made, other], [folder, PROJECT_ROOT, "/usr"])).toBe(7);
    expect(readdirSync("/tmp").filter((name) => made.endsWith(name))).toEqual([]);
  },
);
