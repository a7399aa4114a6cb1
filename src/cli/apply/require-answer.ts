import { StowageError } from "../../errors/index.ts";
import type { CommandContext } from "../context.ts";

/**
 * Refuses at once where a question would have nobody to answer it.
 *
 * @param verb What was asked for: `apply`.
 * @param options.json whether the output is for a program
 */
export function requireAnswer(
  context: CommandContext,
  verb: string,
  options: {
    readonly yes: boolean;
    readonly json: boolean;
    readonly flag?: string;
    readonly look?: string;
  },
): void {
  if (options.yes || (context.isInteractive() && !options.json)) return;
  const flag = options.flag ?? "--yes";
  const state = options.json
    ? "its output is JSON, so it cannot ask"
    : "there is no terminal to ask on";
  throw new StowageError(
    `Cannot ${verb}: ${state}; look at ${options.look ?? "stowage plan"}, then use ${flag}`,
    {
      code: "failed_precondition",
    },
  );
}
