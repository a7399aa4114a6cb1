import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandLine, failAs } from "./arguments.ts";
import { refuse } from "./output.ts";

const FOLDERS = ["auth.d", "paths.d", "stage1.d"];

/** Ends as rkt does where one of its configuration files is no JSON. */
export function checkConfiguration({ command, flags }: CommandLine): void {
  for (const root of [flags.get("system-config"), flags.get("local-config")]) {
    for (const folder of FOLDERS.map((name) => join(root ?? "/nonexistent", name))) {
      for (const name of jsonFiles(folder)) {
        const problem = jsonProblem(readFileSync(join(folder, name), "utf8"));
        if (problem !== undefined) failAs(command, `cannot get configuration: ${problem}`);
      }
    }
  }
}

/** The names of the JSON files of a folder, sorted; none where it is not there. */
export function jsonFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .toSorted();
  } catch {
    return [];
  }
}

/** What Go says of a text that is no JSON, of the one kind that a transcript has. */
export function jsonProblem(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    const [, sign] = /^\s*\{\s*([^"}\s])/.exec(text) ?? [];
    if (sign === undefined) return refuse("such a JSON document");
    return `invalid character '${sign}' looking for beginning of object key string`;
  }
}
