import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeCacheFile, compileProgram } from "../../src/cli/compile-program.ts";
import type { FleetManifest } from "../../src/model/index.ts";

/**
 * Runs a bundled program once, for what V8 compiles meanwhile, and writes that beside it. To be run
 * as a process of its own, with the bundle as its argument. What the program says is not looked at.
 */
const [, , bundle = ""] = process.argv;
const scratch = mkdtempSync(join(tmpdir(), "stw-build-"));
const manifest = join(scratch, "fleet.json");
writeFileSync(manifest, JSON.stringify(exercise(scratch)));
process.argv.splice(2, Number.POSITIVE_INFINITY, "plan", "-f", manifest);
const program = compileProgram(bundle);
process.on("exit", () => {
  rmSync(scratch, { recursive: true, force: true });
  writeFileSync(codeCacheFile(bundle), program.codeCache());
  process.exitCode = 0;
});
program.run();

/** A fleet with a host of each way that there is, none of which leads anywhere. */
function exercise(dir: string): FleetManifest {
  const reference = "localhost/exercise:1";
  const digest = `sha256:${"0".repeat(64)}`;
  const pod = { containers: { main: { image: `${reference}@${digest}` } } };
  return {
    version: "stowage/v1",
    name: "exercise",
    id: "exercise",
    images: {},
    hosts: {
      containerd: {
        address: "local",
        engine: { kind: "containerd", socket: join(dir, "none.sock") },
        stateDir: join(dir, "state"),
        runDir: join(dir, "run"),
        pods: { main: pod },
      },
      sim: { address: "local", engine: { kind: "sim" } },
    },
  };
}
