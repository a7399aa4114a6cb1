import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { cruise, type IConfiguration, type ICruiseResult } from "dependency-cruiser";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";

const PROJECT_ROOT = resolve(import.meta.dirname, "../..");

/** What the rules of `.dependency-cruiser.cjs` say of a tree. */
export interface CruiseSummary {
  readonly modules: number;
  /** `rule: from -> to`, one for each wrong import. */
  readonly violations: readonly string[];
}

/** Cruises `<root>/src` by the project's rules. */
export async function cruiseTree(root: string): Promise<CruiseSummary> {
  const { forbidden, options } = createRequire(import.meta.url)(
    join(PROJECT_ROOT, ".dependency-cruiser.cjs"),
  ) as Required<Pick<IConfiguration, "forbidden" | "options">>;
  const { output } = await cruise(
    ["src"],
    { ...options, baseDir: root, validate: true, ruleSet: { forbidden } },
    undefined,
    { tsConfig: extractTSConfig(join(PROJECT_ROOT, "tsconfig.json")) },
  );
  const { modules, summary } = output as ICruiseResult;
  return {
    modules: modules.filter(({ source }) => source.startsWith("src/")).length,
    violations: summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
  };
}

/**
 * Fails when a tree breaks a rule, and when so little of it was seen that its silence means nothing.
 */
export function assertSoundTree({ modules, violations }: CruiseSummary, minModules: number): void {
  if (modules < minModules) {
    throw new Error(`Only ${modules} modules were cruised, at least ${minModules} are there`);
  }
  if (violations.length > 0) {
    throw new Error(`Imports against the layers:\n${violations.join("\n")}`);
  }
}
