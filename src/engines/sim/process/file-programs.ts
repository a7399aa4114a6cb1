import type { CommandCall, ShellProgram } from "./command-call.ts";
import type { ProcessFiles } from "./process-context.ts";
import { absolutePath } from "./redirect.ts";

/** Commands of the toy shell that work on files. */
export const FILE_PROGRAMS: Readonly<Record<string, ShellProgram>> = {
  cat,
  rm: (call) => each(call, (path) => call.context.files.remove(path)),
  mkdir: (call) => each(call, (path) => call.context.files.makeDirectory(path)),
  touch: (call) => each(call, (path) => call.context.files.write(path, "", true)),
  test: ({ args, context, process }) => evaluate(args, context.files, process.cwd),
  "[": ({ args, context, process }) => evaluate(args.slice(0, -1), context.files, process.cwd),
};

function cat(call: CommandCall): number {
  const { args, context, process, input, out, err } = call;
  if (args.length === 0) out(input);
  let status = 0;
  for (const path of args) {
    const text = context.files.read(absolutePath(process.cwd, path));
    if (text === undefined) {
      err(`cat: can't open '${path}': No such file or directory\n`);
      status = 1;
    } else out(text);
  }
  return status;
}

function each(call: CommandCall, effect: (path: string) => string | undefined): number {
  let status = 0;
  for (const path of call.args.filter((arg) => !arg.startsWith("-"))) {
    const refusal = effect(absolutePath(call.process.cwd, path));
    if (refusal === undefined) continue;
    call.err(`${path}: ${refusal}\n`);
    status = 1;
  }
  return status;
}

function evaluate(args: readonly string[], files: ProcessFiles, cwd: string): number {
  const negated = args[0] === "!";
  return isTrue(negated ? args.slice(1) : args, files, cwd) === negated ? 1 : 0;
}

function isTrue(args: readonly string[], files: ProcessFiles, cwd: string): boolean {
  const [first = "", second = "", third = ""] = args;
  if (args.length === 3) {
    const [left, right] = [Number(first), Number(third)];
    const known: Readonly<Record<string, boolean>> = {
      "=": first === third,
      "!=": first !== third,
      "-eq": left === right,
      "-ne": left !== right,
      "-lt": left < right,
      "-le": left <= right,
      "-gt": left > right,
      "-ge": left >= right,
    };
    return known[second] ?? false;
  }
  if (args.length === 1) return first !== "";
  const path = absolutePath(cwd, second);
  switch (first) {
    case "-e":
      return files.exists(path);
    case "-f":
      return files.read(path) !== undefined;
    case "-d":
      return files.isDirectory(path);
    case "-s":
      return (files.read(path) ?? "") !== "";
    case "-n":
      return second !== "";
    case "-z":
      return second === "";
    default:
      return false;
  }
}
