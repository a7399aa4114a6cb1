import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, Script } from "node:vm";

/** The bundled program, ready to be run. */
export interface CompiledProgram {
  run(): void;
  /** What V8 has compiled of it so far, for the next process of the same Node. */
  codeCache(): Buffer;
}

/**
 * Where the compiled code of a bundle lies: beside it, under the name of the V8 that compiled it.
 * Another V8 does without.
 */
export function codeCacheFile(bundle: string): string {
  return bundle.replace(/\.cjs$/, `-${process.versions.v8}-${process.arch}.cache`);
}

/**
 * Compiles a bundle, from its code cache where there is one: compiling is half of what a short
 * command takes. The bundle is one function of `require`.
 */
export function compileProgram(bundle: string): CompiledProgram {
  const cache = codeCacheFile(bundle);
  const script = new Script(readFileSync(bundle, "utf8"), {
    filename: bundle,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(existsSync(cache) ? { cachedData: readFileSync(cache) } : {}),
  });
  return {
    run: () => {
      const program = script.runInThisContext() as (require: NodeJS.Require) => void;
      program(createRequire(bundle));
    },
    codeCache: () => script.createCachedData(),
  };
}
