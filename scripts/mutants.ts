import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Mutant, parseMutant } from "./lib/mutant.ts";
import { proveBaseline, testKey, tryMutant } from "./lib/mutant-trial.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";
import { runMain } from "./lib/run-main.ts";

const FOLDER = join(PROJECT_ROOT, "test/mutants");
const AT_ONCE = 2;

const { values } = parseArgs({ options: { only: { type: "string" } } });
await runMain(() => main(values.only));

/** Requires of every patch in test/mutants that the test it names fails with it, and passes without. */
async function main(only: string | undefined): Promise<number> {
  const mutants = readMutants().filter(({ name }) => only === undefined || name === only);
  if (mutants.length === 0) {
    console.error(only === undefined ? "There are no mutants" : `There is no mutant "${only}"`);
    return 1;
  }
  const baselines = new Map(mutants.map((mutant) => [testKey(mutant), mutant]));
  await eachAtOnce([...baselines.values()], (mutant) => proveBaseline(PROJECT_ROOT, mutant));
  console.log(`${baselines.size} named tests pass on the unpatched project`);
  const survived = await tryAll(mutants);
  console.log(`${mutants.length - survived} mutants caught, ${survived} survived`);
  return survived > 0 ? 1 : 0;
}

async function tryAll(mutants: readonly Mutant[]): Promise<number> {
  const width = Math.max(...mutants.map(({ name }) => name.length));
  let survived = 0;
  await eachAtOnce(mutants, async (mutant) => {
    const startedAt = Date.now();
    const verdict = await tryMutant(PROJECT_ROOT, mutant, join(FOLDER, `${mutant.name}.patch`));
    if (!verdict.caught) survived += 1;
    const seconds = `${((Date.now() - startedAt) / 1000).toFixed(1)} s`.padStart(7);
    const word = verdict.caught ? "caught  " : "SURVIVED";
    console.log(`${word} ${mutant.name.padEnd(width)} ${seconds}  ${mutant.promise}`);
    if (!verdict.caught) console.log(`         ${verdict.detail}`);
  });
  return survived;
}

function readMutants(): Mutant[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".patch"))
    .toSorted()
    .map((file) => parseMutant(file, readFileSync(join(FOLDER, file), "utf8")));
}

/** Runs the action for each item, a few at once; the first failure ends it. */
async function eachAtOnce<T>(
  items: readonly T[],
  action: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const work = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await action(item);
  };
  const workers = Array.from({ length: AT_ONCE }, work);
  try {
    await Promise.all(workers);
  } finally {
    queue.length = 0;
    await Promise.allSettled(workers);
  }
}
