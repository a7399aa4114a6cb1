import type { EngineConfig } from "../../model/index.ts";
import { engineEntry, type NeededProgram } from "../engine-kinds.ts";

/** The programs that a host needs for an engine; one that is declared by its path is called so. */
export function neededPrograms(engine: EngineConfig): readonly NeededProgram[] {
  const declared = engine as { readonly program?: string | undefined };
  return engineEntry(engine.kind).programs.map((needed) =>
    needed.name === engine.kind && declared.program !== undefined
      ? { ...needed, name: declared.program }
      : needed,
  );
}
