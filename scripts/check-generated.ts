import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareFolders, type FileDifference } from "./lib/compare-folders.ts";
import { GENERATORS, type Generator, runGenerator } from "./lib/generators.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";
import { runMain } from "./lib/run-main.ts";

await runMain(async () => {
  let exitCode = 0;
  for (const generator of GENERATORS) {
    const differences = await check(generator);
    for (const { path, state } of differences) {
      console.error(`${join(generator.output, path)} is ${state}; run \`npm run generate\``);
      exitCode = 1;
    }
    if (differences.length === 0) console.log(`${generator.name}: fresh`);
  }
  return exitCode;
});

async function check(generator: Generator): Promise<readonly FileDifference[]> {
  const committed = join(PROJECT_ROOT, generator.output);
  const scratch = mkdtempSync(join(tmpdir(), "stw-generated-"));
  try {
    await runGenerator(generator, PROJECT_ROOT, scratch);
    return compareFolders(join(scratch, generator.output), committed);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
