import type { Diagnostic } from "../errors/index.ts";

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;

interface Level {
  readonly isObject: boolean;
  readonly keys: Set<string>;
  /** Name or number of the item that is being read. */
  at: string | number;
  /** Whether the next string is a key. */
  awaitsKey: boolean;
}

/**
 * Names that stand twice in one object of a JSON text: JSON.parse would keep the last and say nothing.
 *
 * @param json what the text says
 */
export function duplicateKeys(text: string, json: unknown): readonly Diagnostic[] {
  // what a program wrote says each name once; looking at every token takes four times as long
  if (text === JSON.stringify(json)) return [];
  const levels: Level[] = [];
  const found: Diagnostic[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    const level = levels.at(-1);
    if (token === "{" || token === "[") levels.push(opened(token === "{"));
    else if (token === "}" || token === "]") levels.pop();
    else if (level === undefined) continue;
    else if (token === ",") nextItem(level);
    else if (token !== ":" && level.awaitsKey && isTaken(level, token)) found.push(twice(levels));
  }
  return found;
}

function opened(isObject: boolean): Level {
  return { isObject, keys: new Set(), at: 0, awaitsKey: isObject };
}

function nextItem(level: Level): void {
  if (level.isObject) level.awaitsKey = true;
  else level.at = Number(level.at) + 1;
}

/** Notes a key, and says whether its object had it already. */
function isTaken(level: Level, token: string): boolean {
  level.at = JSON.parse(token) as string;
  level.awaitsKey = false;
  const taken = level.keys.has(level.at);
  level.keys.add(level.at);
  return taken;
}

function twice(levels: readonly Level[]): Diagnostic {
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
    summary: `the name "${levels.at(-1)?.at}" stands here twice`,
    detail: "give one of them another name, or take it away",
  };
}
