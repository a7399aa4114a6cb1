import { readFile, stat } from "node:fs/promises";
import { DiagnosticsError, StowageError } from "../../errors/index.ts";
import { wrongKeys } from "./wrong-keys.ts";

const SIZE_MAX = 256 * 1024 * 1024;

/**
 * Reads a file of JSON.
 *
 * @param what Names the file in errors: `manifest`.
 * @param remedy What to do when it does not exist.
 * @throws StowageError `not_found`, `permission_denied`, or `invalid_argument` with line and column when it is not JSON
 */
export async function readJsonFile(path: string, what: string, remedy: string): Promise<unknown> {
  const text = await readBounded(path, what, remedy);
  return parseJson(text, path, what);
}

/**
 * Reads a file of JSON in which people declare things: a name that stands twice is a mistake.
 *
 * @throws DiagnosticsError naming each place where a name stands twice; else as {@link readJsonFile}
 */
export async function readDeclarationFile(
  path: string,
  what: string,
  remedy: string,
): Promise<unknown> {
  const text = await readBounded(path, what, remedy);
  const json = parseJson(text, path, what);
  const wrong = findWrongKeys(text, json, path, what);
  if (wrong.length === 0) return json;
  throw new DiagnosticsError(`${what.charAt(0).toUpperCase()}${what.slice(1)} "${path}"`, wrong);
}

function findWrongKeys(
  ...[text, json, path, what]: [string, unknown, string, string]
): ReturnType<typeof wrongKeys> {
  try {
    return wrongKeys(text, json);
  } catch (error) {
    // what goes down into it has a stack that ends
    if (!(error instanceof RangeError)) throw error;
    throw new StowageError(
      `Cannot read ${what} "${path}": it is nested too deeply; correct it there`,
      { code: "invalid_argument", cause: error },
    );
  }
}

function parseJson(text: string, path: string, what: string): unknown {
  try {
    // some editors begin a file with a mark of its encoding
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const detail = (error as Error).message;
    throw new StowageError(
      `Cannot read ${what} "${path}": it is not JSON${placeOf(detail, text)} (${detail}); correct it there`,
      { code: "invalid_argument", cause: error },
    );
  }
}

async function readBounded(path: string, what: string, remedy: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= SIZE_MAX) return await readFile(path, "utf8");
  } catch (error) {
    throw fileError(error, path, what, remedy);
  }
  throw new StowageError(
    `Cannot read ${what} "${path}": it is larger than 256 MiB; name another file`,
    {
      code: "invalid_argument",
    },
  );
}

function fileError(error: unknown, path: string, what: string, remedy: string): StowageError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new StowageError(`Cannot read ${what} "${path}": there is no such file; ${remedy}`, {
      code: "not_found",
      cause: error,
    });
  }
  if (code === "EISDIR") {
    return new StowageError(
      `Cannot read ${what} "${path}": it is a directory; name the file in it`,
      {
        code: "invalid_argument",
        cause: error,
      },
    );
  }
  const denied = code === "EACCES" || code === "EPERM";
  return StowageError.from(
    error,
    `Cannot read ${what} "${path}"`,
    denied ? "permission_denied" : "internal",
  );
}

/** `, line 3, column 7` for a message of JSON.parse that says a position. */
function placeOf(message: string, text: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return "";
  const before = text.slice(0, Number(position)).split("\n");
  return `, line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
