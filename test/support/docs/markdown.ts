/** A page of documentation. */
export interface MarkdownPage {
  /** Path from the project's folder. */
  readonly path: string;
  readonly text: string;
}

/** A block between fences, and the word after the first of them. */
export interface CodeBlock {
  readonly language: string;
  readonly code: string;
}

const FENCED = /^( *)```([\w-]*)\n([\s\S]*?)^\1```$/gm;

/** Fenced blocks of a page. */
export function codeBlocks(text: string): readonly CodeBlock[] {
  return [...text.matchAll(FENCED)].map(([, , language = "", code = ""]) => ({ language, code }));
}

/** Everything on a page that is code: lines of blocks, and spans between backticks. */
export function codeLines(text: string): readonly string[] {
  const blocks = codeBlocks(text).flatMap(({ code }) => code.split("\n"));
  return [...blocks, ...indentedLines(text), ...codeSpans(text)];
}

/** Lines of blocks that are set in by four spaces. */
export function indentedLines(text: string): readonly string[] {
  const prose = text.replaceAll(FENCED, "");
  return [...prose.matchAll(/^ {4}(\S.*)$/gm)].map(([, line = ""]) => line);
}

/** What stands between backticks within a line. */
export function codeSpans(text: string): readonly string[] {
  const prose = text.replaceAll(FENCED, "");
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
}

/** Targets of a page's links that stay within the project. */
export function localLinks(text: string): readonly string[] {
  const prose = text.replaceAll(FENCED, "").replaceAll(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Names by which links reach the headings of a page. */
export function anchors(text: string): readonly string[] {
  return [...text.replaceAll(FENCED, "").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
