import { writeFileSync } from "node:fs";

/**
 * Writes a program that knows some words and prints lines at the first of them that it is called with;
 * at others it prints nothing.
 *
 * @returns its path
 */
export function playProgram(
  path: string,
  answers: Readonly<Record<string, readonly string[]>>,
): string {
  const cases = Object.entries(answers).map(
    ([words, lines]) => `*'${words}'*) cat <<'END'\n${lines.join("\n")}\nEND\n;;\n`,
  );
  writeFileSync(path, `#!/bin/sh\ncase "$*" in\n${cases.join("")}esac\n`, { mode: 0o755 });
  return path;
}
