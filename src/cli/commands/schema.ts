import * as z from "zod";
import { FleetManifest, MANIFEST_VERSION } from "../../model/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";

/** `stowage schema`. */
export const schemaCommand: Command = {
  help: {
    name: "schema",
    summary: "Prints the JSON Schema of the fleet manifest, for completion in editors.",
    options: {},
    examples: [
      {
        command: "schema > stowage.schema.json",
        comment: "then name it in your editor's settings",
      },
    ],
  },
  run: schema,
};

async function schema(_args: Arguments, context: CommandContext): Promise<ExitCode> {
  const document = {
    ...z.toJSONSchema(FleetManifest, { io: "input", target: "draft-2020-12" }),
    title: `Fleet manifest ${MANIFEST_VERSION}`,
  };
  context.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  return 0;
}
