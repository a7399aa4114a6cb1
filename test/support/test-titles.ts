import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import ts from "typescript";

/** Whether a file of tests, or what it imports of the tests' own, has a test under such a title. */
export function hasTitle(file: string, title: string): boolean {
  const texts = [...withImports(file)].map(read);
  const words = texts.map(({ words: each }) => each).join(" ");
  const titles = texts.flatMap((text) => text.titles);
  const all = { titles, words };
  // the whole of it may come from a table
  if (words.includes(title)) return true;
  return titles.some((parts) =>
    parts.some((part, index) => {
      const later = parts.slice(index + 1);
      const inside = wordStarts(part).some((from) =>
        fits(title, [part.slice(from), ...later], all),
      );
      return inside || ((later[0] ?? "").trim() !== "" && fitsAfter(title, later, all));
    }),
  );
}

/** A title's parts that are always the same; between them stands what differs from test to test. */
type Parts = readonly string[];

interface TestText {
  readonly titles: readonly Parts[];
  /** All that is in the file: what differs is there too, in a table. */
  readonly words: string;
  readonly imports: readonly string[];
}

const TEST_CALL = /^(?:describe|test|it)|Engine$|TestHosts$/;
const PLACEHOLDER = /%[sdijfo#]|\$[a-z][\w.]*/i;

const known = new Map<string, TestText>();

function read(file: string): TestText {
  const found = known.get(file);
  if (found !== undefined) return found;
  const words = readFileSync(file, "utf8");
  const source = ts.createSourceFile(file, words, ts.ScriptTarget.Latest);
  const titles: Parts[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && TEST_CALL.test(calledName(node.expression)))
      for (const argument of node.arguments) titles.push(...titlesIn(argument));
    ts.forEachChild(node, visit);
  };
  visit(source);
  const imports = [...words.matchAll(/(?:from|import) "(\.[^"]+)"/g)]
    .map(([, path = ""]) => resolve(dirname(file), path))
    .filter((path) => path.includes("/test/") && existsSync(path));
  const text = { titles, words: words.replaceAll(/\s+/g, " "), imports };
  known.set(file, text);
  return text;
}

function withImports(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const each of read(file).imports) withImports(each, found);
  return found;
}

/** `test` of `test(…)`, of `test.each(…)(…)` and of `suite.test(…)`. */
function calledName(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isCallExpression(node)) return calledName(node.expression);
  if (!ts.isPropertyAccessExpression(node)) return "";
  const of = calledName(node.expression);
  return TEST_CALL.test(of) ? of : node.name.text;
}

function titlesIn(node: ts.Expression): readonly Parts[] {
  if (ts.isStringLiteralLike(node)) return [node.text.split(PLACEHOLDER)];
  if (ts.isConditionalExpression(node))
    return [...titlesIn(node.whenTrue), ...titlesIn(node.whenFalse)];
  if (!ts.isTemplateExpression(node)) return [];
  return [[node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)]];
}

/** Where a part's words begin. */
function wordStarts(part: string): readonly number[] {
  return [...part.matchAll(/(?<![^\s(])\S/g)].map(({ index }) => index);
}

interface Known {
  readonly titles: readonly Parts[];
  readonly words: string;
}

/** Whether a title, from its beginning, is these parts and the titles that follow, as far as it goes. */
function fits(title: string, [part = "", ...others]: Parts, all: Known): boolean {
  if (part.startsWith(title)) return true;
  if (!title.startsWith(part)) return false;
  const rest = title.slice(part.length);
  if (others.length > 0) return areKnown(rest, all) || fitsAfter(rest, others, all);
  return rest.startsWith(" ") && all.titles.some((each) => fits(rest.slice(1), each, all));
}

/** Whether these parts follow what differs from test to test. */
function fitsAfter(title: string, parts: Parts, all: Known): boolean {
  return Array.from(title).some(
    (_, end) => areKnown(title.slice(0, end), all) && fits(title.slice(end), parts, all),
  );
}

function areKnown(text: string, { words }: Known): boolean {
  return text.split(" ").every((word) => words.includes(word));
}
