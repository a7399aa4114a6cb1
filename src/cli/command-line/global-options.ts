import type { OptionSpec } from "./command.ts";

/** Options of every command. */
export const GLOBAL_OPTIONS = {
  file: {
    short: "f",
    value: "MANIFEST",
    description: "Use this fleet manifest instead of running the app that cdktf.json names",
  },
  fleet: { value: "NAME", description: "Fleet to use, where the app declares several" },
  directory: { short: "C", value: "DIR", description: "Run as if started in this directory" },
  parallelism: { value: "N", description: "Number of hosts worked on at once (default 32)" },
  verbose: { short: "v", description: "Show what the app prints" },
  debug: { description: "Show stack traces of errors" },
  "no-color": { description: "Never use colour (or set NO_COLOR)" },
  help: { short: "h", description: "Show help" },
} as const satisfies Readonly<Record<string, OptionSpec>>;
