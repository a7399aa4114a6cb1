import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseFleet, validateFleet } from "../../src/model/index.ts";
import { diagnosticsOf } from "../support/docs/compile.ts";
import { type Example, exampleBlocks, exampleSpans, jsonSpans } from "../support/docs/examples.ts";
import { codeBlocks } from "../support/docs/markdown.ts";
import { pages } from "../support/docs/pages.ts";
import { type Outcome, synthesize } from "../support/docs/synthesize.ts";

const PAGES = pages("README.md", "docs/guides", "docs/engines", "docs/drift.md");
const BLOCKS = PAGES.flatMap(exampleBlocks);
const SPANS = PAGES.flatMap(exampleSpans);
/** The compiler has to refuse it. */
const WRONG: Example = {
  name: "what is wrong",
  programs: ['import { App, Fleet } from "stowage";\nnew Fleet(new App(), 1);\n'],
};

/** Files of a reader's project and home that examples read; an inventory is the page's own. */
const OWN_FILES: Readonly<Record<string, string>> = {
  "cdktf.json": '{ "projectId": "acme" }\n',
  "web.conf": "listen 8080\n",
  ".ssh/config": "Host edge-a edge-b lab-1\n  User ops\n",
  ...Object.fromEntries(inventories()),
};

/** JSON that no manifest has: of a network's CNI configuration, and of what commands print. */
const OTHER_JSON: readonly string[] = [
  '"capabilities": { "portMappings": true }',
  '"disableCheck": true',
  '"status": "paused"',
];

/** What the compiler finds in a program of an example. */
interface Compiled {
  readonly file: string;
  readonly mistakes: readonly string[];
}

let scratch: string;
let compiled: ReadonlyMap<Example, readonly Compiled[]>;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "stw-examples-"));
  write("package.json", '{ "type": "module" }\n');
  compiled = compile([...BLOCKS, ...SPANS, WRONG]);
}, 120_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("the TypeScript of the documentation", () => {
  test("is looked at wherever there is some", () => {
    expect(BLOCKS.length).toBeGreaterThan(10);
    expect(SPANS.length).toBeGreaterThan(20);
    const indented = PAGES.flatMap(
      ({ text }) => text.match(/^ {4}(?:new [A-Z]|import ).*$/gm) ?? [],
    );
    const outside = indented.filter(
      (line) => !BLOCKS.some(({ programs: [all] }) => all?.includes(line)),
    );
    expect(outside).toEqual([]);
    expect(compiled.get(WRONG)?.[0]?.mistakes).toHaveLength(1);
  });

  test.each([...BLOCKS, ...SPANS])("$name compiles", (example) => {
    expect(rightOf(example).mistakes).toEqual([]);
  });
});

describe("a program of the documentation", () => {
  let outcomes: ReadonlyMap<string, Outcome>;

  beforeAll(() => {
    const files = BLOCKS.map((block) => rightOf(block).file);
    outcomes = synthesize(files, join(scratch, "home"), OWN_FILES);
  }, 120_000);

  test.each(BLOCKS)("$name declares what is valid", (block) => {
    const { error, fleets = [] } = outcomes.get(rightOf(block).file) ?? {};
    expect(error).toBeUndefined();
    expect(fleets).not.toEqual([]);
    for (const text of fleets) {
      const manifest = parseFleet(JSON.parse(text), block.name);
      expect(validateFleet(manifest)).toEqual([]);
      const pods = Object.values(manifest.hosts).flatMap((host) => Object.keys(host.pods ?? {}));
      expect(pods.length > 0).toBe(/new (?:Pod|Service)\(/.test(block.programs[0] ?? ""));
    }
  });

  test("reads every inventory that a page shows", () => {
    const yaml = PAGES.flatMap(({ text }) => codeBlocks(text)).filter(
      ({ language }) => language === "yaml",
    );
    expect(yaml.map(({ code }) => code)).toEqual(inventories().map(([, code]) => code));
    const fleets = [...outcomes.values()].flatMap((outcome) => outcome.fleets ?? []);
    expect(fleets.join()).toContain("ssh://ops@edge-a.example.net");
  });
});

describe("the JSON of the documentation", () => {
  const spans = PAGES.flatMap(jsonSpans);

  test.each(spans.filter((span) => !OTHER_JSON.includes(span)))("%s is of a manifest", (span) => {
    const excerpt = JSON.parse(`{ ${span} }`) as object;
    const container = { image: "nginx" };
    const pod = { containers: { web: container } };
    const host = { address: "local", engine: { kind: "sim" } };
    const fleet = { version: "stowage/v1", name: "shop", id: "acme" };
    const places = [
      { ...fleet, hosts: {}, ...excerpt },
      { ...fleet, hosts: { lab: { ...host, ...excerpt } } },
      { ...fleet, hosts: { lab: { ...host, pods: { web: { ...pod, ...excerpt } } } } },
      {
        ...fleet,
        hosts: {
          lab: { ...host, pods: { web: { containers: { web: { ...container, ...excerpt } } } } },
        },
      },
    ];
    expect(places.filter(isManifest)).not.toEqual([]);
    expect(isManifest({ ...fleet, hosts: {}, nonsense: true })).toBe(false);
  });

  test("is of something else where it is said so", () => {
    expect(spans).toEqual(expect.arrayContaining([...OTHER_JSON]));
  });
});

/** Inventories that pages show, each with the name by which the page's program reads it. */
function inventories(): readonly (readonly [string, string])[] {
  return PAGES.flatMap(({ text }) => {
    const name = /\bfromFile\("([^"]+\.yaml)"\)/.exec(text)?.[1];
    const yaml = codeBlocks(text).find(({ language }) => language === "yaml");
    return name === undefined || yaml === undefined ? [] : [[name, yaml.code] as const];
  });
}

function isManifest(json: object): boolean {
  try {
    parseFleet(json, "The excerpt");
    return true;
  } catch {
    return false;
  }
}

function compile(examples: readonly Example[]): ReadonlyMap<Example, readonly Compiled[]> {
  const files = new Map(
    examples.map((example, index) => [
      example,
      example.programs.map((program, place) => write(`${index}/${place}.ts`, program)),
    ]),
  );
  const mistakes = diagnosticsOf([...files.values()].flat());
  return new Map(
    [...files].map(([example, names]) => [
      example,
      names.map((file) => ({ file, mistakes: mistakes.get(file) ?? [] })),
    ]),
  );
}

/** The program of an example that is right, else the first. */
function rightOf(example: Example): Compiled {
  const all = compiled.get(example) ?? [];
  const right = all.find(({ mistakes }) => mistakes.length === 0) ?? all[0];
  return right ?? { file: "", mistakes: ["was not compiled"] };
}

function write(name: string, text: string): string {
  const path = join(scratch, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
