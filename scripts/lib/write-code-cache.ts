import { writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { codeCacheFile, compileProgram } from "../../src/cli/compile-program.ts";

/**
 * Compiles all of a bundled program and writes that beside it. To be run as a process of its own, with
 * the bundle as its argument: it changes how V8 compiles.
 */
const [, , bundle = ""] = process.argv;
setFlagsFromString("--no-lazy");
const program = compileProgram(bundle);
// V8 refuses a cache that was written under other flags than those it is read with
setFlagsFromString("--lazy");
writeFileSync(codeCacheFile(bundle), program.codeCache());
