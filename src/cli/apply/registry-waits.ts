import type { RegistryWait } from "../../image/registry/index.ts";
import type { PlanProgress } from "../../reconcile/index.ts";
import type { CommandContext } from "../context.ts";
import { printable } from "../text/printable.ts";
import { formatAge } from "../text/quantities.ts";

/** A registry that is long in answering: which, since when, and how it ends. */
export function registryWaitWords({ registry, doing, ms, givenUpMs }: RegistryWait): string {
  return `waiting for registry ${registry} for ${formatAge(ms)}: ${printable(doing)}; it times out when nothing arrives for ${formatAge(givenUpMs)}`;
}

/** Tells of registries that are long in answering, beside the output of a command. */
export function tellOfRegistries({
  stderr,
  paint,
}: Pick<CommandContext, "stderr" | "paint">): (progress: PlanProgress) => void {
  return (progress) => {
    if (progress.type === "registry-waiting")
      stderr.write(`${paint.yellow(registryWaitWords(progress))}\n`);
  };
}
