import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  throughEngine,
  unpackEngine,
  whyNoOtherVersions,
} from "./lib/engine-matrix/engine-files.ts";
import { ENGINE_VERSIONS, type EngineVersion } from "./lib/engine-matrix/engine-versions.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";
import { runCommand } from "./lib/run-command.ts";
import { runMain } from "./lib/run-main.ts";
import { summarize } from "./lib/summary-line.ts";
import { runVitest } from "./lib/vitest-run.ts";

const ENGINES = ["containerd", "podman", "rkt"];

const USAGE = `Usage: npm run test:matrix [-- [--only NAME]... [-t TITLE]]

Runs the conformance suite, and the tests of images from registries, on each version of each engine: the
installed one, and those of other Debian suites, which are downloaded and unpacked once into
~/.cache/stowage/engines (or $STOWAGE_MATRIX_DIR). Nothing is installed.

  --only NAME   only this version; may be given several times
  -t TITLE      only cases with such a title
  --list        names what there is
`;

await runMain(() => main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: "string", multiple: true },
      title: { type: "string", short: "t" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.list) {
    for (const { name, suite } of ENGINE_VERSIONS)
      console.log(`${name.padEnd(20)} ${suite ?? "as it is installed"}`);
    return 0;
  }
  const chosen = ENGINE_VERSIONS.filter(({ name }) => values.only?.includes(name) ?? true);
  if (chosen.length === 0) {
    console.error(`Cannot run "${values.only?.join(", ")}": there is no such version; see --list`);
    return 1;
  }
  const rows: { readonly line: string; readonly exitCode: number }[] = [];
  for (const version of chosen) rows.push(await runVersion(version, values.title));
  console.log(`\n${rows.map(({ line }) => line).join("\n")}`);
  return rows.some(({ exitCode }) => exitCode !== 0) ? 1 : 0;
}

async function runVersion(version: EngineVersion, title: string | undefined) {
  const { name, suite, program, tests } = version;
  const reason = suite === undefined ? undefined : whyNoOtherVersions();
  if (reason !== undefined)
    return { line: `${name.padEnd(20)} not run, because ${reason}`, exitCode: 0 };
  const cache = process.env["STOWAGE_MATRIX_DIR"] ?? join(homedir(), ".cache/stowage/engines");
  const through = suite === undefined ? [] : throughEngine(await unpackEngine(version, cache));
  const [first = program, ...words] = [...through, program, "--version"];
  const { output } = await runCommand(first, words, { output: "capture" });
  const told = /\d+\.\d+\.\d+\S*/.exec(output)?.[0] ?? "?";
  console.log(`${name}: ${told} …`);
  const beganAt = performance.now();
  // a file may be about other engines too
  const others = ENGINES.filter((each) => each !== program).join("|");
  const ofThis = `(?=.*\\b${program}\\b)|(?!.*\\b(?:${others})\\b)`;
  const titles = `^(?:${ofThis})${title === undefined ? "" : `.*(?:${title})`}`;
  const projects = ["conformance", "integration"].flatMap((each) => ["--project", each]);
  const outcome = await runVitest([...projects, ...tests, "-t", titles], {
    cwd: PROJECT_ROOT,
    env: { STOWAGE_REQUIRE_ENGINES: program },
    through,
  });
  const { line, exitCode } = summarize(outcome);
  const seconds = ((performance.now() - beganAt) / 1000).toFixed(0);
  return { line: `${name.padEnd(20)} ${told.padEnd(14)} ${line}   ${seconds} s`, exitCode };
}
