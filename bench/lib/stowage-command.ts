import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../scripts/lib/project-root.ts";
import { StowageError } from "../../src/errors/index.ts";

/**
 * The built command line, as it is shipped.
 *
 * @throws StowageError `not_found` when it was not built
 */
export function stowageMain(): string {
  const main = join(PROJECT_ROOT, "dist/cli/main.cjs");
  if (existsSync(main)) return main;
  throw new StowageError(`Cannot find "${main}": Stowage is not built; run npm run build`, {
    code: "not_found",
  });
}
