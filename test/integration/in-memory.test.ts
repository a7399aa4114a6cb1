import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runInMemory } from "../../scripts/lib/in-memory.ts";

const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)(
  "a script that runs in memory sees of /tmp what it needs, and leaves nothing there",
  async () => {
    const folder = mkdtempSync("/tmp/stw a-");
    const script = join(folder, "script.cjs");
    const made = `${folder}-made`;
    writeFileSync(
      script,
      `const { readdirSync, writeFileSync } = require("node:fs");
     writeFileSync(process.argv[2], "");
     process.exitCode = readdirSync("/tmp").length === 2 ? 7 : 1;`,
    );
    expect(await runInMemory([script, made], [folder, "/usr"])).toBe(7);
    expect(readdirSync("/tmp").filter((name) => made.endsWith(name))).toEqual([]);
    rmSync(folder, { recursive: true });
  },
);
