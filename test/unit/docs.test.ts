import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { declaredPaths, podDeclaredPaths } from "../../src/engine/index.ts";
import { attributesOf, ContainerSpec, PodSpec } from "../../src/model/index.ts";
import { EVERY_FIELD } from "../support/docs/every-field.ts";
import { anchors, codeBlocks, codeLines, codeSpans, localLinks } from "../support/docs/markdown.ts";
import { PROJECT_ROOT, pages } from "../support/docs/pages.ts";

const PAGES = pages("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "examples");
const README = PAGES[0]?.text ?? "";

describe("the documentation", () => {
  test("has a page for every concern", () => {
    expect(PAGES.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        "docs/ARCHITECTURE.md",
        "docs/drift.md",
        "docs/guides/declare-plan-apply.md",
        "docs/reference/README.md",
        "docs/adr/0001-dependencies.md",
      ]),
    );
  });

  test("links and code are found on a page", () => {
    expect(localLinks(README)).toContain("docs/drift.md");
    expect(codeLines(README)).toEqual(
      expect.arrayContaining([
        "npm run quickstart     # a fleet on a containerd of its own, from nothing",
        "stowage plan",
      ]),
    );
  });

  test.each(PAGES)("$path links only to what is there", ({ path, text }) => {
    const broken = localLinks(text).filter((target) => !isReachable(path, target));
    expect(broken).toEqual([]);
  });

  test.each(PAGES.filter(({ path }) => /^docs\/(?:guides\/|engines\/|drift)/.test(path)))(
    "$path ends with the page to read next",
    ({ path, text }) => {
      const last = text.trimEnd().split("\n").at(-1) ?? "";
      expect(last).toMatch(/^Next: /);
      expect(localLinks(last).filter((target) => isReachable(path, target))).not.toEqual([]);
    },
  );

  test.each(PAGES)("$path names only files of the project that are there", ({ text }) => {
    const paths = codeSpans(text).filter((span) =>
      /^(?:src|test|scripts|docs|examples)\/[\w./-]+$/.test(span),
    );
    expect(paths.filter((path) => !existsSync(join(PROJECT_ROOT, path)))).toEqual([]);
  });

  test.each(PAGES)("$path names only scripts that package.json has", ({ text }) => {
    const named = codeLines(text).flatMap((line) =>
      [...line.matchAll(/\bnpm run ([a-z][a-z0-9:-]*)/g)].map(([, name = ""]) => name),
    );
    expect(named.filter((name) => !(name in scripts()))).toEqual([]);
  });
});

describe("docs/drift.md", () => {
  const page = PAGES.find(({ path }) => path === "docs/drift.md")?.text ?? "";
  const listed =
    page.split("<!-- fields compared on containerd -->")[1]?.split("<!-- end -->")[0] ?? "";

  test("lists exactly the fields that the containerd adapter reports", () => {
    const container = EVERY_FIELD.containers["every"] as ContainerSpec;
    const reported = [
      ...fieldPaths(PodSpec, EVERY_FIELD, podDeclaredPaths(EVERY_FIELD)),
      ...fieldPaths(ContainerSpec, container, declaredPaths(container)),
    ];
    const fields = [...listed.matchAll(/`([^`]+)`/g)].map(([, field = ""]) => field);
    expect(new Set(fields)).toEqual(new Set(reported));
  });
});

describe("the README's example", () => {
  const example = codeBlocks(README).find(({ language }) => language === "ts")?.code ?? "";

  test("has at most 25 lines", () => {
    expect(example.trim().split("\n").length).toBeLessThanOrEqual(25);
    expect(example).toContain('from "stowage"');
  });
});

/** Paths in the schema of attributes. */
function fieldPaths(schema: z.ZodType, value: object, paths: readonly string[]): readonly string[] {
  const attributes = attributesOf(schema, value);
  return paths.map((path) => attributes.get(path)?.fieldPath ?? `unknown ${path}`);
}

function isReachable(page: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file =
    path === "" ? page : relative(PROJECT_ROOT, resolve(PROJECT_ROOT, dirname(page), path));
  const absolute = join(PROJECT_ROOT, file);
  if (!existsSync(absolute) || file.startsWith("..")) return false;
  if (anchor === undefined) return true;
  return statSync(absolute).isFile() && anchors(readFileSync(absolute, "utf8")).includes(anchor);
}

function scripts(): Readonly<Record<string, string>> {
  const text = readFileSync(join(PROJECT_ROOT, "package.json"), "utf8");
  return (JSON.parse(text) as { readonly scripts: Readonly<Record<string, string>> }).scripts;
}
