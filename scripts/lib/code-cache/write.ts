import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileProgram } from "../../../src/cli/compile-program.ts";
import { writeExercise } from "./exercise.ts";

/**
 * Runs a bundled program once, and writes what V8 compiled meanwhile beside its files. To be run as a
 * process of its own, with the bundle as its argument. What the program says is not looked at.
 */
const [, , bundle = ""] = process.argv;
const scratch = mkdtempSync(join(tmpdir(), "stw-build-"));
const manifest = await writeExercise(scratch);
process.argv.splice(2, Number.POSITIVE_INFINITY, "plan", "-f", manifest);
const program = compileProgram(bundle);
process.on("exit", () => {
  rmSync(scratch, { recursive: true, force: true });
  for (const [file, code] of program.codeCaches()) writeFileSync(file, code);
  process.exitCode = 0;
});
program.run();
