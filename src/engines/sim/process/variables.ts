import type { ProcessState } from "../machine-state.ts";
import type { Variables } from "./expand-words.ts";
import type { ProcessContext } from "./process-context.ts";

/** What `$` leads to in a process: its own variables, its arguments, its environment. */
export function variablesOf(process: ProcessState, context: ProcessContext): Variables {
  const script = process.argv.findIndex((each) => /^-[a-z]*c$/.test(each));
  const positional = script < 0 ? [] : process.argv.slice(script + 2);
  return {
    args: positional.slice(1),
    status: process.status,
    value: (name) =>
      /^[0-9]$/.test(name)
        ? positional[Number(name)]
        : (process.vars[name] ?? context.environment[name]),
  };
}
