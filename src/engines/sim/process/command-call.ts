import type { ProcessState } from "../machine-state.ts";
import type { ProcessContext } from "./process-context.ts";

/** A time that does not come. */
export const FOREVER_MS = Number.MAX_SAFE_INTEGER;

/** What a command came to: its status, or how it continues. */
export type CommandResult =
  | number
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "sleep" | "wait"; readonly ms: number };

/** What a command gets. */
export interface CommandCall {
  readonly args: readonly string[];
  readonly process: ProcessState;
  readonly context: ProcessContext;
  readonly input: string;
  out(text: string): void;
  err(text: string): void;
}

/** A command of the toy shell. */
export type ShellProgram = (call: CommandCall) => CommandResult;
