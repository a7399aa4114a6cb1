import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PROJECT_ROOT } from "./pages.ts";

/** What came of a program: the manifests that it wrote, or what it failed with. */
export interface Outcome {
  readonly fleets?: readonly string[];
  readonly error?: string;
}

/** Imports each program in a folder of its own, as `stowage synth` would have it run there. */
const RUNNER = `const outcomes = [];
for (const { folder, file } of JSON.parse(process.env.PROGRAMS)) {
  process.chdir(folder);
  process.env.CDKTF_OUTDIR = folder + "/cdktf.out";
  outcomes.push(await import(file).then(() => null, (error) => String(error)));
}
console.log(JSON.stringify(outcomes));
`;

/**
 * Runs programs one after another in one process, as an app each.
 *
 * @param folder Where they may write; it is the user's home as well.
 * @param ownFiles What lies beside each of them, and in the home.
 */
export function synthesize(
  programs: readonly string[],
  folder: string,
  ownFiles: Readonly<Record<string, string>>,
): ReadonlyMap<string, Outcome> {
  const places = programs.map((file, index) => ({ file, folder: join(folder, `app-${index}`) }));
  for (const place of [folder, ...places.map((each) => each.folder)])
    for (const [name, text] of Object.entries(ownFiles)) write(join(place, name), text);
  const runner = join(folder, "runner.mjs");
  writeFileSync(runner, RUNNER);
  const loader = join(PROJECT_ROOT, "node_modules/tsx/dist/loader.mjs");
  const printed = execFileSync(process.execPath, ["--import", loader, runner], {
    encoding: "utf8",
    env: {
      ...process.env,
      HOME: folder,
      STOWAGE_SSH_CONFIG: "",
      PROGRAMS: JSON.stringify(places),
      // there "stowage" is the source, not a build
      TSX_TSCONFIG_PATH: join(PROJECT_ROOT, "tsconfig.json"),
    },
  });
  const errors = JSON.parse(printed) as readonly (string | null)[];
  return new Map(
    places.map(({ file, folder: place }, index) => {
      const error = errors[index] ?? null;
      return [file, error === null ? { fleets: fleetsIn(place) } : { error }];
    }),
  );
}

function fleetsIn(folder: string): readonly string[] {
  const stacks = join(folder, "cdktf.out/stacks");
  const names = existsSync(stacks) ? readdirSync(stacks) : [];
  return names.map((name) => readFileSync(join(stacks, name, "fleet.json"), "utf8"));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
