import type { OptionSpec } from "./command.ts";

/** Options of commands that change hosts. */
export const RUN_OPTIONS = {
  yes: { short: "y", description: "Do not ask" },
  "lock-timeout": {
    value: "TIME",
    description: "Wait this long for a host that is locked (default 0s)",
  },
  settle: {
    value: "TIME",
    description:
      "A container without a probe counts as started when it has run for this long (default 400ms)",
  },
  json: { description: "Print plan, progress and report as lines of JSON; needs --yes" },
} as const satisfies Readonly<Record<string, OptionSpec>>;
