import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { StowageError } from "../../errors/index.ts";
import { Name } from "../../model/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { packageFolder } from "../package-folder.ts";
import { projectFiles } from "../project/project-files.ts";

/** `stowage init`. */
export const initCommand: Command = {
  help: {
    name: "init",
    summary: "Creates a new project: a fleet of one pod on this machine, declared in TypeScript.",
    operands: "[DIR]",
    maxOperands: 1,
    options: {
      name: { value: "NAME", description: "Name of the fleet (default: the directory's name)" },
    },
    details: ["It never overwrites: if one of its files exists already, it creates none."],
    examples: [
      { command: "init shop", comment: "create the project in the new directory shop" },
      { command: "init --name edge", comment: "create it here, with a fleet named edge" },
    ],
  },
  changes: true,
  run: init,
};

async function init(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const directory = resolve(context.cwd, args.operands[0] ?? ".");
  const files = projectFiles(
    fleetName(args.text("name"), directory),
    randomUUID(),
    await packageFolder(context.program),
  );
  const present = Object.keys(files).filter((name) => existsSync(join(directory, name)));
  if (present.length > 0) {
    throw new StowageError(
      `Cannot make a project in "${directory}": ${present.join(", ")} ${present.length === 1 ? "is" : "are"} there already; choose another directory`,
      { code: "already_exists" },
    );
  }
  try {
    await mkdir(directory, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(directory, name), text, { flag: "wx" });
    }
  } catch (error) {
    throw StowageError.from(
      error,
      `Cannot make a project in "${directory}"`,
      "failed_precondition",
    );
  }
  const place = relative(context.cwd, directory);
  context.stdout.write(
    [
      `Made ${Object.keys(files).join(", ")}${place === "" ? "" : ` in ${place}`}.`,
      "Next:",
      ...(place === "" ? [] : [`  cd ${place}`]),
      "  npm install         # the programs that the project needs, and Stowage's types",
      "  stowage doctor      # is this machine ready",
      "  stowage validate    # is the declaration right",
      "  stowage plan        # what would be done; README.md says where the image comes from",
      "",
    ].join("\n"),
  );
  return 0;
}

function fleetName(given: string | undefined, directory: string): string {
  const name =
    given ??
    basename(directory)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-+|-+$/g, "");
  const result = Name.safeParse(name);
  if (result.success) return result.data;
  const remedy = given === undefined ? "; name the fleet with --name" : "";
  throw new StowageError(
    `Cannot name a fleet ${JSON.stringify(name)}: it ${result.error.issues[0]?.message}${remedy}`,
    {
      code: "invalid_argument",
    },
  );
}
