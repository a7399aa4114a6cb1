import type { ProcessState } from "../machine-state.ts";
import type { Redirect } from "./compile-script.ts";
import { expandText } from "./expand-words.ts";
import type { ProcessContext } from "./process-context.ts";
import { variablesOf } from "./variables.ts";

type Sink =
  | { kind: "log"; stream: "out" | "err" }
  | { kind: "file"; path: string; text: string }
  | { kind: "null" };

/** Where one command reads and writes. */
export interface CommandIo {
  readonly input: string;
  out(text: string): void;
  err(text: string): void;
  /** Writes to its files what it printed. */
  finish(): void;
}

/** Opens a command's redirections, in their order; @returns why not, when one cannot be opened. */
export function commandIo(
  process: ProcessState,
  redirects: readonly Redirect[],
  context: ProcessContext,
): CommandIo | string {
  const sinks: [Sink, Sink] = [
    { kind: "log", stream: "out" },
    { kind: "log", stream: "err" },
  ];
  let input: string | undefined;
  for (const redirect of redirects) {
    const target = expandText(redirect.target, variablesOf(process, context));
    const opened = openRedirect(redirect, target, sinks, process.cwd, context);
    if (typeof opened === "string") return opened;
    if (opened.kind === "input") input = opened.text;
    else sinks[redirect.descriptor === 2 ? 1 : 0] = opened;
  }
  return {
    get input() {
      input ??= context.takeInput?.() ?? "";
      return input;
    },
    out: (text) => put(sinks[0], text, process, context),
    err: (text) => put(sinks[1], text, process, context),
    finish: () => {
      for (const sink of new Set(sinks)) {
        if (sink.kind === "file" && sink.text !== "")
          context.files.write(sink.path, sink.text, true);
      }
    },
  };
}

/** Prints the last line of each stream that had no line end. */
export function flushPartial(process: ProcessState, context: Pick<ProcessContext, "print">): void {
  for (const stream of ["out", "err"] as const) {
    if (process.partial[stream] !== "") context.print(process.partial[stream]);
    process.partial[stream] = "";
  }
}

/** A path as a command names it, made absolute. */
export function absolutePath(cwd: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${cwd}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function openRedirect(
  { kind }: Redirect,
  target: string,
  sinks: readonly [Sink, Sink],
  cwd: string,
  context: ProcessContext,
): Sink | { readonly kind: "input"; readonly text: string } | string {
  if (kind === "duplicate") return sinks[target === "2" ? 1 : 0];
  const path = absolutePath(cwd, target);
  if (kind === "read") {
    const text = path === "/dev/null" ? "" : context.files.read(path);
    return text === undefined ? `can't open ${target}: no such file` : { kind: "input", text };
  }
  const sink = openFile(path, kind === "append", context);
  return typeof sink === "string" ? `can't create ${target}: ${sink}` : sink;
}

function openFile(path: string, append: boolean, context: ProcessContext): Sink | string {
  if (path === "/dev/null") return { kind: "null" };
  const refusal = context.files.write(path, "", append);
  return refusal ?? { kind: "file", path, text: "" };
}

function put(sink: Sink, text: string, process: ProcessState, context: ProcessContext): void {
  if (sink.kind === "file") sink.text += text;
  if (sink.kind !== "log") return;
  if (context.write !== undefined) {
    context.write(sink.stream, text);
    return;
  }
  const lines = (process.partial[sink.stream] + text).split("\n");
  process.partial[sink.stream] = lines.pop() ?? "";
  for (const line of lines) context.print(line);
}
