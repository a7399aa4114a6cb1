import { StowageError } from "../src/errors/index.ts";
import { build } from "./lib/build.ts";
import { runInMemory, whyOnDisk } from "./lib/in-memory.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";
import { runMain } from "./lib/run-main.ts";
import { summarize } from "./lib/summary-line.ts";
import { ensureSystemPackages } from "./lib/system-packages.ts";
import { runVitest } from "./lib/vitest-run.ts";

// certificates of the machine's own: every Node that a test starts would read them, and none needs one
delete process.env["NODE_EXTRA_CA_CERTS"];
await runMain(() =>
  whyOnDisk() === undefined
    ? runInMemory(process.argv.slice(1), [PROJECT_ROOT])
    : main(process.argv.slice(2)),
);

/** Sets up, builds, runs every project of vitest, and ends with the line `N passed, N failed`. */
async function main(vitestArgs: readonly string[]): Promise<number> {
  const packages = await ensureSystemPackages();
  if (packages.status === "missing") {
    console.log(`${packages.advice}\nTests that need an engine are skipped.\n`);
  }
  try {
    await build(PROJECT_ROOT);
  } catch (error) {
    console.error(StowageError.is(error) ? error.message : error);
    console.log("0 passed, 1 failed");
    return 1;
  }
  const { line, exitCode } = summarize(await runVitest(vitestArgs, { cwd: PROJECT_ROOT }));
  console.log(`\n${line}`);
  return exitCode;
}
