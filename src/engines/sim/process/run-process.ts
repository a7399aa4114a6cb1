import type { ProcessState } from "../machine-state.ts";
import { type CommandResult, FOREVER_MS } from "./command-call.ts";
import { compileCommand, compileScript, type Instruction, type Program } from "./compile-script.ts";
import { expandWords } from "./expand-words.ts";
import type { ProcessContext } from "./process-context.ts";
import { PROGRAMS } from "./programs.ts";
import { commandIo } from "./redirect.ts";
import { variablesOf } from "./variables.ts";

const STEPS_PER_MS = 1000;
const SCRIPTS_KEPT = 256;

/** Scripts that were compiled already, by their source. */
export type Scripts = Map<string, Program>;

/** The state of a process that is about to begin at a moment of the machine's clock. */
export function newProcess(argv: readonly string[], cwd: string, atMs: number): ProcessState {
  const source = isShell(argv[0]) ? shellScript(argv) : undefined;
  return {
    argv,
    frames: [source === undefined ? { pc: 0 } : { source, pc: 0 }],
    status: 0,
    wakeAtMs: atMs,
    waiting: false,
    cwd,
    vars: {},
    background: [],
    traps: {},
    pending: [],
    partial: { out: "", err: "" },
  };
}

/** Whether the toy shell can run a command; one that it cannot is taken for a daemon. */
export function isProgram(name: string | undefined): boolean {
  return name !== undefined && (isShell(name) || PROGRAMS[baseName(name)] !== undefined);
}

/**
 * Lets a process run until its own time is later than the machine's.
 *
 * @returns its exit code when it ended, at `process.wakeAtMs`
 */
export function runProcess(
  process: ProcessState,
  context: ProcessContext,
  untilMs: number,
  scripts: Scripts,
): number | undefined {
  for (let steps = 0; process.wakeAtMs <= untilMs; steps += 1) {
    process.waiting = false;
    takeSignal(process);
    const frame = process.frames.at(-1);
    if (frame === undefined) return process.status;
    const instruction = programOf(frame.source, process.argv, scripts)[frame.pc];
    frame.pc += 1;
    if (instruction === undefined) process.frames.pop();
    else {
      const code = step(process, frame, instruction, context);
      if (code !== undefined) return code;
    }
    // A script that never sleeps still lets the others' time pass.
    if (steps % STEPS_PER_MS === STEPS_PER_MS - 1) process.wakeAtMs += 1;
  }
  return undefined;
}

function step(
  process: ProcessState,
  frame: { pc: number },
  instruction: Instruction,
  context: ProcessContext,
): number | undefined {
  switch (instruction.kind) {
    case "jump":
      frame.pc = instruction.to;
      return undefined;
    case "jump-if-ok":
      if (process.status === 0) frame.pc = instruction.to;
      return undefined;
    case "jump-if-failed":
      if (process.status !== 0) frame.pc = instruction.to;
      return undefined;
    case "not":
      process.status = process.status === 0 ? 1 : 0;
      return undefined;
    case "succeed":
      process.status = 0;
      return undefined;
    case "syntax-error":
      context.print("sh: syntax error");
      return 2;
    case "run":
      return runCommand(process, instruction, context);
  }
}

function runCommand(
  process: ProcessState,
  instruction: Extract<Instruction, { kind: "run" }>,
  context: ProcessContext,
): number | undefined {
  const variables = variablesOf(process, context);
  const argv = expandWords(instruction.words, variables);
  const io = commandIo(process, instruction.redirects, context);
  if (typeof io === "string") {
    context.print(`sh: ${io}`);
    process.status = 1;
    return undefined;
  }
  while (/^[A-Za-z_]\w*=/.test(argv[0] ?? "")) assign(process, argv.shift() ?? "");
  const name = argv[0];
  if (name === undefined) {
    process.status = 0;
    return undefined;
  }
  if (name === "exec" && argv.length > 1) {
    process.frames = [{ pc: Number.MAX_SAFE_INTEGER }];
    argv.shift();
  }
  const result = runProgram(argv, process, context, io);
  io.finish();
  return settleResult(process, result, instruction.background);
}

function runProgram(
  argv: readonly string[],
  process: ProcessState,
  context: ProcessContext,
  io: { out(text: string): void; err(text: string): void; readonly input: string },
): CommandResult {
  const program = PROGRAMS[baseName(argv[0] ?? "")];
  if (program !== undefined) return program({ args: argv.slice(1), process, context, ...io });
  const source = isShell(argv[0]) ? shellScript(argv) : undefined;
  if (source !== undefined) {
    process.frames.push({ source, nested: true, pc: 0 });
    return process.status;
  }
  io.err(`sh: ${argv[0]}: not found\n`);
  return 127;
}

function settleResult(
  process: ProcessState,
  result: CommandResult,
  background: boolean,
): number | undefined {
  if (typeof result === "number") {
    process.status = result;
    return undefined;
  }
  if (result.kind === "exit") return leaveShell(process, result.code);
  process.status = 0;
  const until = result.ms >= FOREVER_MS ? FOREVER_MS : process.wakeAtMs + result.ms;
  if (background) process.background.push(until);
  else {
    process.wakeAtMs = until;
    process.waiting = result.kind === "wait";
  }
  return undefined;
}

// A shell that another one runs ends alone.
function leaveShell(process: ProcessState, code: number): number | undefined {
  const nested = process.frames.findLastIndex((frame) => frame.nested === true);
  if (nested < 0) return code;
  process.frames.length = nested;
  process.status = code;
  return undefined;
}

function takeSignal(process: ProcessState): void {
  const signal = process.pending.shift();
  if (signal === undefined) return;
  const script = process.traps[signal];
  if (script !== undefined && script !== "") process.frames.push({ source: script, pc: 0 });
}

function programOf(source: string | undefined, argv: readonly string[], scripts: Scripts): Program {
  if (source === undefined) return compileCommand(argv);
  const known = scripts.get(source);
  if (known !== undefined) return known;
  if (scripts.size >= SCRIPTS_KEPT) scripts.clear();
  const program = compileScript(source);
  scripts.set(source, program);
  return program;
}

function assign(process: ProcessState, text: string): void {
  const equals = text.indexOf("=");
  process.vars[text.slice(0, equals)] = text.slice(equals + 1);
}

function shellScript(argv: readonly string[]): string {
  const at = argv.findIndex((each) => /^-[a-z]*c$/.test(each));
  return at < 0 ? "" : (argv[at + 1] ?? "");
}

function isShell(name: string | undefined): boolean {
  return name !== undefined && ["sh", "ash", "bash"].includes(baseName(name));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
