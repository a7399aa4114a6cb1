import type { Diagnostic } from "../../errors/index.ts";

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g;
/** No object can have it as a name of its own: what reads it would leave it out. */
const IMPOSSIBLE = '"__proto__"';

interface Level {
  readonly isObject: boolean;
  readonly keys: Set<string>;
  /** Name or number of the item that is being read. */
  at: string | number;
  /** Whether the next string is a key. */
  awaitsKey: boolean;
}

/**
 * Names that stand twice in one object of a JSON text, where JSON.parse would keep the last and say nothing, or
 * that nothing can have.
 *
 * @param json what the text says
 */
export function wrongKeys(text: string, json: unknown): readonly Diagnostic[] {
  if (isWritten(text, json)) return [];
  const levels: Level[] = [];
  const found: Diagnostic[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    const level = levels.at(-1);
    if (token === "{" || token === "[") levels.push(opened(token === "{"));
    else if (token === "}" || token === "]") levels.pop();
    else if (level === undefined) continue;
    else if (token === ",") nextItem(level);
    else if (token !== ":" && level.awaitsKey) found.push(...wrongKey(levels, level, token));
  }
  return found;
}

/** Whether a program wrote it, which says each name once: looking at every token takes four times as long. */
function isWritten(text: string, json: unknown): boolean {
  return !text.includes(IMPOSSIBLE) && text === JSON.stringify(json);
}

function opened(isObject: boolean): Level {
  return { isObject, keys: new Set(), at: 0, awaitsKey: isObject };
}

function nextItem(level: Level): void {
  if (level.isObject) level.awaitsKey = true;
  else level.at = Number(level.at) + 1;
}

/** Notes a key, and says what is wrong with it. */
function wrongKey(levels: readonly Level[], level: Level, token: string): readonly Diagnostic[] {
  level.at = JSON.parse(token) as string;
  level.awaitsKey = false;
  const taken = level.keys.has(level.at);
  level.keys.add(level.at);
  if (token === IMPOSSIBLE) return [wrong(levels, "cannot be set")];
  return taken ? [wrong(levels, "is given twice")] : [];
}

function wrong(levels: readonly Level[], what: string): Diagnostic {
  const path = levels
    .map(({ at }) =>
      typeof at === "number"
        ? `[${at}]`
        : /^[A-Za-z0-9_-]+$/.test(at)
          ? `.${at}`
          : `[${JSON.stringify(at)}]`,
    )
    .join("")
    .replace(/^\./, "");
  return {
    severity: "error",
    path,
    summary: `the name "${levels.at(-1)?.at}" ${what}`,
    detail: "use another name, or remove it",
  };
}
