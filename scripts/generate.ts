import { rmSync } from "node:fs";
import { join } from "node:path";
import { GENERATORS, runGenerator } from "./lib/generators.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";
import { runMain } from "./lib/run-main.ts";

await runMain(async () => {
  for (const generator of GENERATORS) {
    rmSync(join(PROJECT_ROOT, generator.output), { recursive: true, force: true });
    await runGenerator(generator, PROJECT_ROOT, PROJECT_ROOT);
    console.log(`${generator.name}: ${generator.output}`);
  }
  return 0;
});
