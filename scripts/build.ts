import { build } from "./lib/build.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";
import { runMain } from "./lib/run-main.ts";

await runMain(async () => {
  await build(PROJECT_ROOT);
  return 0;
});
