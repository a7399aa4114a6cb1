import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { engineEntry } from "../src/cli/engine-kinds.ts";
import { ENGINE_KINDS } from "../src/model/index.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";
import { referencePages } from "./lib/reference/pages.ts";
import { runMain } from "./lib/run-main.ts";

await runMain(async () => {
  const { values } = parseArgs({ options: { out: { type: "string" } } });
  const out = values.out === undefined ? join(PROJECT_ROOT, "docs/reference") : resolve(values.out);
  mkdirSync(out, { recursive: true });
  const engines = await Promise.all(
    ENGINE_KINDS.map(async (name) => ({ name, table: await engineEntry(name).capabilities() })),
  );
  const pages = referencePages(engines);
  for (const [file, text] of pages) writeFileSync(join(out, file), text);
  return 0;
});
