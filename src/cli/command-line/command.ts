import type { CommandContext, ExitCode } from "../context.ts";
import type { Arguments } from "./arguments.ts";

/** An option of a command. */
export interface OptionSpec {
  readonly description: string;
  readonly short?: string;
  /** Word that stands for its value in the help; without one it is a switch. */
  readonly value?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
}

/** What a command takes, as its help says it. */
export interface CommandHelp {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly operands?: string;
  readonly minOperands?: number;
  readonly maxOperands?: number;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Paragraphs. */
  readonly details?: readonly string[];
  readonly examples: readonly { readonly command: string; readonly comment: string }[];
  /** What its exit codes mean, where that is something else than of all others. */
  readonly exitCodes?: string;
}

/** What a command that passes on another one's exit code ends with when that could not be run. */
export const NOT_RUN = 125;

/** A command of the program. */
export interface Command {
  readonly help: CommandHelp;
  /** It changes something: where nobody reads any more what it says, it runs to its end, as others do not. */
  readonly changes?: true;
  /** Its exit code after an error. @defaultValue 1 */
  readonly failed?: number | ((error: unknown) => number);
  /** @returns its exit code: an {@link ExitCode}, but for a command that passes on another one's */
  run(args: Arguments, context: CommandContext): Promise<number>;
}
