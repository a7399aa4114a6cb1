import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, onTestFinished, test } from "vitest";
import type { z } from "zod";
import type { OptionSpec } from "../../src/cli/command.ts";
import { CATALOG } from "../../src/cli/commands/catalog.ts";
import { GLOBAL_OPTIONS } from "../../src/cli/global-options.ts";
import { declaredPaths, podDeclaredPaths } from "../../src/engine/index.ts";
import {
  attributesOf,
  ContainerSpec,
  PodSpec,
  parseFleet,
  validateFleet,
} from "../../src/model/index.ts";
import { EVERY_FIELD } from "../support/docs/every-field.ts";
import {
  anchors,
  codeBlocks,
  codeLines,
  codeSpans,
  localLinks,
  type MarkdownPage,
} from "../support/docs/markdown.ts";

const PROJECT_ROOT = resolve(import.meta.dirname, "../..");
const TSCONFIG = join(PROJECT_ROOT, "tsconfig.json");
const PAGES: readonly MarkdownPage[] = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...pagesBelow("docs"),
].map((path) => ({ path, text: readFileSync(join(PROJECT_ROOT, path), "utf8") }));
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

  test.each(PAGES)("$path names only commands and options that stowage has", async ({ text }) => {
    const known = await commandOptions();
    const wrong = codeLines(text).flatMap((line) => unknownWords(line, known));
    expect(wrong).toEqual([]);
  });

  test("every command and option of stowage is found unknown when it is misspelt", async () => {
    const known = await commandOptions();
    const lines = [
      "stowage plam",
      "stowage plan --jsn",
      "cd x && stowage schema --yes",
      "--take-ovr",
    ];
    expect(lines.map((line) => unknownWords(line, known))).not.toContainEqual([]);
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

  test("compiles under the project's own compiler options", () => {
    const folder = scratch();
    const [right, wrong] = [join(folder, "right.ts"), join(folder, "wrong.ts")];
    writeFileSync(right, example);
    writeFileSync(wrong, example.replace("new Host(fleet", "new Host(1"));
    const found = diagnosticsOf([right, wrong]);
    expect(found.get(right)).toEqual([]);
    expect(found.get(wrong)).toHaveLength(1);
  }, 60_000);

  test("declares a fleet that is valid", () => {
    const folder = scratch();
    writeFileSync(join(folder, "main.ts"), example);
    execFileSync(
      process.execPath,
      ["--import", join(PROJECT_ROOT, "node_modules/tsx/dist/loader.mjs"), "main.ts"],
      {
        cwd: folder,
        // there "stowage" is the source, not a build
        env: { ...process.env, TSX_TSCONFIG_PATH: TSCONFIG },
        stdio: "pipe",
      },
    );
    const [stack = ""] = readdirSync(join(folder, "cdktf.out/stacks"));
    const text = readFileSync(join(folder, "cdktf.out/stacks", stack, "fleet.json"), "utf8");
    const manifest = parseFleet(JSON.parse(text), "The example");
    expect(validateFleet(manifest)).toEqual([]);
    expect(
      Object.values(manifest.hosts).flatMap(({ pods }) => Object.keys(pods ?? {})),
    ).not.toEqual([]);
  }, 60_000);
});

/** Paths in the schema of attributes. */
function fieldPaths(schema: z.ZodType, value: object, paths: readonly string[]): readonly string[] {
  const attributes = attributesOf(schema, value);
  return paths.map((path) => attributes.get(path)?.fieldPath ?? `unknown ${path}`);
}

function pagesBelow(folder: string): readonly string[] {
  return readdirSync(join(PROJECT_ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => join(folder, path))
    .sort();
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

type CommandOptions = ReadonlyMap<string, ReadonlySet<string>>;

/** Names of the options of every command, and of none in particular under an empty name. */
async function commandOptions(): Promise<CommandOptions> {
  const globals: Readonly<Record<string, OptionSpec>> = GLOBAL_OPTIONS;
  const names = (own: Readonly<Record<string, OptionSpec>>) =>
    new Set(Object.keys({ ...globals, ...own }));
  const loaded = await Promise.all(
    CATALOG.map(async ({ name, load }) => [name, (await load()).help.options] as const),
  );
  const all = Object.assign({ version: { description: "" } }, ...loaded.map(([, own]) => own));
  return new Map([
    ["", names(all)],
    ["help", names({})],
    ["version", names({})],
    ...loaded.map(([name, own]) => [name, names(own)] as const),
  ]);
}

/** Commands and options in a line of code that stowage does not have. */
function unknownWords(line: string, known: CommandOptions): readonly string[] {
  const alone = /^--[a-z]/.test(line) ? unknownOptions(line, known.get("")) : [];
  const calls = [...line.matchAll(/(?:^|[\s;&|(])stowage ([a-z-]+)([^;&|]*)/g)];
  return [
    ...alone,
    ...calls.flatMap(([, word = "", rest = ""]) => {
      if (word.startsWith("-")) return unknownOptions(`${word}${rest}`, known.get(""));
      const options = known.get(word);
      return options === undefined ? [`stowage ${word}`] : unknownOptions(rest, options);
    }),
  ];
}

function unknownOptions(text: string, options: ReadonlySet<string> | undefined): readonly string[] {
  return [...text.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)]
    .map(([, name = ""]) => name)
    .filter((name) => options?.has(name) !== true)
    .map((name) => `--${name}`);
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "stw-docs-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  return folder;
}

/** What the compiler finds in each file. */
function diagnosticsOf(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const { config } = ts.readConfigFile(TSCONFIG, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [] },
    ts.sys,
    PROJECT_ROOT,
  );
  const typeRoots = [join(PROJECT_ROOT, "node_modules/@types")];
  const program = ts.createProgram([...files], { ...options, typeRoots });
  return new Map(
    files.map((file) => {
      const source = program.getSourceFile(file);
      const found = [
        ...program.getSyntacticDiagnostics(source),
        ...program.getSemanticDiagnostics(source),
      ];
      return [
        file,
        found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
      ];
    }),
  );
}
