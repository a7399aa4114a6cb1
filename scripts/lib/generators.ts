import { existsSync } from "node:fs";
import { join } from "node:path";
import { StowageError } from "../../src/errors/index.ts";
import { runCommand } from "./run-command.ts";

/** Something that writes committed files from a source. */
export interface Generator {
  readonly name: string;
  /** What it reads: a file or folder of the project. */
  readonly source: string;
  /** The folder that it owns: nothing else may lie in it. */
  readonly output: string;
  /** Command that writes the folder's content below `outRoot`, at the same place as in the project. */
  readonly command: (outRoot: string) => readonly [program: string, ...args: string[]];
}

/** Every generator of the project; a new one is one more entry. */
export const GENERATORS: readonly Generator[] = [
  {
    name: "protobuf messages",
    source: "proto",
    output: "src/gen",
    command: (outRoot) => ["node_modules/.bin/buf", "generate", "--output", outRoot],
  },
  {
    name: "field reference",
    source: "scripts/generate-reference.ts",
    output: "docs/reference",
    command: (outRoot) => [
      process.execPath,
      "--import",
      "tsx",
      "scripts/generate-reference.ts",
      "--out",
      join(outRoot, "docs/reference"),
    ],
  },
];

/**
 * Runs a generator of the project at `root`, writing below `outRoot`.
 *
 * @throws StowageError `not_found` when its source is missing; `internal` with the generator's output when it fails or writes nothing.
 */
export async function runGenerator(
  generator: Generator,
  root: string,
  outRoot: string,
): Promise<void> {
  if (!existsSync(join(root, generator.source))) {
    throw new StowageError(`Cannot generate ${generator.name}: ${generator.source} not found`, {
      code: "not_found",
    });
  }
  const [program, ...args] = generator.command(outRoot);
  const { exitCode, output } = await runCommand(program, args, {
    cwd: root,
    output: "capture",
    // buf looks for the local plugin on PATH
    env: { PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}` },
  });
  if (exitCode === 0 && existsSync(join(outRoot, generator.output))) return;
  const state = exitCode === 0 ? `it wrote no ${generator.output}` : `exit code ${exitCode}`;
  throw new StowageError(`Cannot generate ${generator.name}: ${state}\n${output}`.trimEnd(), {
    code: "internal",
  });
}
