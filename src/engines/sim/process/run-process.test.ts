import { expect, test } from "vitest";
import type { ProcessContext } from "./process-context.ts";
import { flushPartial } from "./redirect.ts";
import { newProcess, runProcess } from "./run-process.ts";

/** Runs a command at once, however long it sleeps; @returns its output, exit code and end. */
function run(argv: readonly string[], environment: Record<string, string> = {}) {
  const lines: string[] = [];
  const files = new Map<string, string>();
  const context: ProcessContext = {
    environment,
    user: { uid: 0, gid: 0, name: "root" },
    hostname: "here",
    openFiles: 1024,
    print: (line) => lines.push(line),
    listen: () => true,
    reaches: () => false,
    files: {
      read: (path) => files.get(path),
      exists: (path) => files.has(path),
      isDirectory: () => false,
      write: (path, text, append) => {
        if (path.startsWith("/ro")) return "Read-only file system";
        files.set(path, append ? (files.get(path) ?? "") + text : text);
        return undefined;
      },
      makeDirectory: () => undefined,
      remove: (path) => void files.delete(path),
    },
  };
  const process = newProcess(argv, "/", 0);
  const exitCode = runProcess(process, context, 1e9, new Map());
  flushPartial(process, context);
  return { lines, exitCode, endedAtMs: process.wakeAtMs, files };
}

const shell = (source: string, ...args: readonly string[]) => run(["sh", "-c", source, ...args]);

test.each<[title: string, source: string, lines: readonly string[], exitCode: number]>([
  ["commands follow each other", "echo a; echo b >&2\nexit 3", ["a", "b"], 3],
  ["the last status is the exit code", "true; false", [], 1],
  ["&& and || decide by the status", "false && echo no || echo yes; true || echo no", ["yes"], 0],
  ["! turns the status round", "! false && echo turned", ["turned"], 0],
  ["single quotes hold everything", "echo 'a $X \"b\"'", ['a $X "b"'], 0],
  ["variables are put in and split", 'X="a  b"; echo $X "$X"', ["a b a  b"], 0],
  ["an unset variable has a fallback", 'echo "${X:-none}|${X-none}|$X|"', ["none|none||"], 0],
  ["an empty one is set", 'X=; echo "${X:-none}|${X-none}|"', ["none||"], 0],
  ["$? is the last status", "false; echo $?", ["1"], 0],
  [
    "if takes the branch that holds",
    "if false; then echo a; elif true; then echo b; else echo c; fi",
    ["b"],
    0,
  ],
  ["if without a match does nothing", "if false; then echo a; fi; echo end", ["end"], 0],
  ["while goes on as long as it holds", "while [ ! -e /f ]; do echo x; touch /f; done", ["x"], 0],
  [
    "until goes on as long as it does not",
    "until [ -s /f ]; do echo x > /f; done; cat /f",
    ["x"],
    0,
  ],
  ["braces make one of several", "false || { echo a; echo b; }", ["a", "b"], 0],
  ["> and >> write files", "echo a > /f; echo b >> /f; cat /f", ["a", "b"], 0],
  ["2> takes errors", "cat /none 2>/dev/null; echo $?", ["1"], 0],
  [
    "a file that cannot be written fails the command alone",
    "echo x > /ro || echo no",
    ["sh: can't create /ro: Read-only file system", "no"],
    0,
  ],
  ["an unknown command is 127", "nothing-such; echo $?", ["sh: nothing-such: not found", "127"], 0],
  ["a line without its end is a line", "printf 'a\\nb'", ["a", "b"], 0],
  ["a comment is none", "echo a # b", ["a"], 0],
  ["a word can be empty", "echo '' a", [" a"], 0],
  ["what it does not understand is a syntax error", "if true; then", ["sh: syntax error"], 2],
  ["exec puts a command in its place", "exec echo a; echo b", ["a"], 0],
  ["a shell in the shell has an exit of its own", "sh -c 'exit 3'; echo $?", ["3"], 0],
])("%s", (_, source, lines, exitCode) => {
  expect(shell(source)).toMatchObject({ lines, exitCode });
});

test("arguments are words, whatever they hold", () => {
  expect(shell('echo "$#:$1:$2"; for_none=1; echo "$@"', "sh", "a b", "c").lines).toEqual([
    "2:a b:c",
    "a b c",
  ]);
});

test("sleep takes the process's time, and background commands none until wait", () => {
  expect(shell("sleep 1.5; sleep 3 & sleep 1; wait").endedAtMs).toBe(4500);
});

test("a loop that never sleeps lets time pass", () => {
  const process = newProcess(["sh", "-c", "while true; do :; done"], "/", 0);
  const context = { environment: {}, print: () => {} } as unknown as ProcessContext;
  expect(runProcess(process, context, 5, new Map())).toBeUndefined();
  expect(process.wakeAtMs).toBeGreaterThan(5);
});

test("a command without a shell gets its words as they are", () => {
  expect(run(["/bin/echo", "$HOME", "a;b"], { HOME: "/" }).lines).toEqual(["$HOME a;b"]);
});
