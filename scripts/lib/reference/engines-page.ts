import { engineRows, rowNote } from "../../../src/cli/engine-rows.ts";
import type { EngineColumn } from "./engine-support.ts";
import { GENERATED } from "./render-page.ts";

const INTRO = `What each engine can do with every field of a pod and with pull of its host, from the tables that plans are checked against; \`stowage engines\` prints the same.
A plan that needs an unsupported field is refused before anything is touched. How it is known: \`kernel\`: a test saw it in /proc, the cgroup
file system or what the process did. \`spec only\`: it is in what the engine is given. \`transcript\`: a recorded run of the engine shows it.
\`nobody\`: nobody has looked.`;

/** The page of the capability report. */
export function enginesPage(engines: readonly EngineColumn[]): string {
  const parts = engines.map(({ name, table }) => {
    const rows = engineRows(table).map((row) => {
      const cells = [`\`${row.field}\``, row.support, row.known, rowNote(row)];
      return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    });
    const lines = ["| Field | Support | Known | |", "| --- | --- | --- | --- |", ...rows].join(
      "\n",
    );
    return `## ${name}\n\n${lines}`;
  });
  return `${[GENERATED, "# Engines", INTRO, ...parts].join("\n\n")}\n`;
}
