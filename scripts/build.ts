import { build } from "./lib/build.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";

await build(PROJECT_ROOT);
