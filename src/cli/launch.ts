import { join } from "node:path";
import { compileProgram } from "./compile-program.ts";

compileProgram(join(import.meta.dirname, "stowage.cjs")).run();
