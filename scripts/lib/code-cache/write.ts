import { writeFileSync } from "node:fs";
import { compileProgram } from "../../../src/cli/compile-program.ts";

/**
 * Runs a bundled program once, with the words that follow it, and writes what V8 compiled meanwhile beside its
 * files. To be run as a process of its own that loads nothing else: a library that finds itself set up already
 * would not do it again. What the program says is not looked at.
 */
const [, , bundle = "", ...words] = process.argv;
process.argv.splice(2, Number.POSITIVE_INFINITY, ...words);
const program = compileProgram(bundle);
process.on("exit", () => {
  for (const [file, cache] of program.codeCaches()) writeFileSync(file, cache);
  process.exitCode = 0;
});
program.run();
