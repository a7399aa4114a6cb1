import type { OptionSpec } from "./command.ts";

/** Options of commands that change hosts. */
export const RUN_OPTIONS = {
  yes: { short: "y", description: "Do not ask for confirmation" },
  "lock-timeout": {
    value: "TIME",
    description: "Wait up to this long for a locked host (default 0s)",
  },
  settle: {
    value: "TIME",
    description:
      "How long a container without a probe must run to count as started (default 400ms)",
  },
  json: { description: "Print plan, progress and report as JSON lines; needs --yes" },
} as const satisfies Readonly<Record<string, OptionSpec>>;
