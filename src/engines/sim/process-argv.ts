import type { SimContainer } from "./machine-state.ts";

/** What a process of a container runs as: the declaration over the image's defaults. */
export function processArgv({ spec, defaults }: SimContainer): readonly string[] {
  const entry = spec.command ?? defaults.entrypoint ?? [];
  const args = spec.args ?? (spec.command === undefined ? (defaults.cmd ?? []) : []);
  return [...entry, ...args];
}

/** Whether a command cannot exist: Debian keeps this path free on every system. */
export function isMissingCommand(argv: readonly string[]): boolean {
  const [command] = argv;
  return command === undefined || command === "" || command.startsWith("/nonexistent/");
}
