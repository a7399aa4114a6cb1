import { StowageError } from "../errors/index.ts";
import type { ContainerSpec } from "../model/index.ts";
import type { ImageDefaults } from "./image-content.ts";

/** Where programs are looked for when neither image nor declaration says. */
export const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A command line, and how many of its words come before the declared arguments. */
export interface ProcessArguments {
  readonly args: readonly string[];
  readonly commandWords: number;
}

/**
 * What a container runs: a declared command replaces the image's entry point and drops its command,
 * declared arguments replace its command.
 *
 * @throws StowageError `invalid_argument` when neither says what to run
 */
export function processArguments(
  spec: Pick<ContainerSpec, "command" | "args" | "image">,
  image: ImageDefaults,
): ProcessArguments {
  const command = spec.command ?? image.entrypoint ?? [];
  const rest = spec.args ?? (spec.command === undefined ? (image.cmd ?? []) : []);
  const args = [...command, ...rest];
  if (args.length === 0) {
    throw new StowageError(
      `Cannot run image "${spec.image}": it has no command of its own; declare a command`,
      { code: "invalid_argument", context: { image: spec.image } },
    );
  }
  return { args, commandWords: command.length };
}

/** The image's environment with the declared one over it, in the image's order; PATH is always there. */
export function mergeEnvironment(
  image: readonly string[],
  declared: Readonly<Record<string, string>>,
): readonly string[] {
  const merged = new Map<string, string>();
  for (const entry of [DEFAULT_PATH, ...image]) {
    const equals = entry.indexOf("=");
    if (equals > 0) merged.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  for (const [name, value] of Object.entries(declared)) merged.set(name, value);
  return [...merged].map(([name, value]) => `${name}=${value}`);
}
