import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CATALOG } from "../../src/cli/commands/catalog.ts";
import { call, commandLines, loneOptions } from "../support/docs/command-lines.ts";
import { pages } from "../support/docs/pages.ts";
import { makeProject, refusalOf, refusalOfOptions } from "../support/docs/try-command.ts";

const PAGES = pages("README.md", "CHANGELOG.md", "docs", "examples");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stw-commands-"));
  makeProject(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the commands of the documentation", () => {
  test("are found in blocks, sentences and units", () => {
    const lines = PAGES.flatMap(({ text }) => commandLines(text));
    expect(lines.filter(({ isWhole }) => isWhole).length).toBeGreaterThan(40);
    expect(lines.map(({ words }) => words)).toEqual(
      expect.arrayContaining([
        ["exec", "web", "-c", "db", "--", "pg_dump", "shop"],
        ["watch", "-f", "/etc/stowage/shop/fleet.json", "--metrics-port", "9464"],
        ["rollback", "POD", "[--to", "N]"],
      ]),
    );
  });

  test.each(PAGES)("of $path are those that stowage takes", async ({ text }) => {
    expect(await refusals(commandLines(text))).toEqual([]);
  });

  test.each(PAGES)("options that $path names alone are some command's", async ({ text }) => {
    const refused = await Promise.all(loneOptions(text).map(refusalOfOptions));
    expect(refused.filter((why) => why !== undefined)).toEqual([]);
  });

  test.each([
    "plam",
    "plan --jsn",
    "plan now",
    "prune --keep all",
    "logs --tail web",
    "rollback",
    "rollback web --to 1d",
    "apply --settle soon",
    "watch --drift repair",
    "rollout look",
    "images unlock",
    "plan --engine docker --host edge-a",
    "apply monday.plan --host edge-a",
    "destroy --host local",
  ])("`stowage %s` would be noticed", async (words) => {
    expect(await refusals(call(`stowage ${words}`, true))).toHaveLength(1);
  });

  test.each(["--jsn", "--keep all", "--older-than week"])("`%s` would be noticed", async (span) => {
    const [options] = loneOptions(`\`${span}\``);
    expect(options && (await refusalOfOptions(options))).toBeDefined();
  });
});

describe("the examples of stowage's own help", () => {
  test.each(CATALOG)("of $name are right", async ({ load }) => {
    const { help } = await load();
    expect(help.examples).not.toEqual([]);
    const lines = help.examples.flatMap(({ command }) => call(`stowage ${command}`, true));
    expect(await refusals(lines)).toEqual([]);
  });
});

/** What is said against each line that is refused. */
async function refusals(lines: ReturnType<typeof commandLines>): Promise<readonly string[]> {
  const refused: string[] = [];
  for (const line of lines) {
    const why = await refusalOf(line, folder);
    if (why !== undefined) refused.push(`${line.text}: ${why}`);
  }
  return refused;
}
