import {
  type CommandCall,
  type CommandResult,
  FOREVER_MS,
  type ShellProgram,
} from "./command-call.ts";
import { FILE_PROGRAMS } from "./file-programs.ts";
import { NETWORK_PROGRAMS } from "./network-programs.ts";
import { signalName } from "./signals.ts";

/** Every command that the toy shell knows, by name. */
export const PROGRAMS: Readonly<Record<string, ShellProgram>> = {
  ":": () => 0,
  true: () => 0,
  false: () => 1,
  echo,
  printf,
  exit: ({ args, process }) => ({ kind: "exit", code: Number(args[0] ?? process.status) & 255 }),
  sleep,
  wait,
  trap,
  export: exportVariables,
  set: () => 0,
  cd: ({ args, process }) => {
    process.cwd = args[0] ?? "/";
    return 0;
  },
  pwd: ({ process, out }) => print(out, process.cwd),
  hostname: ({ context, out }) => print(out, context.hostname),
  id,
  env: ({ context, out }) =>
    print(
      out,
      Object.entries(context.environment)
        .map((pair) => pair.join("="))
        .join("\n"),
    ),
  printenv: ({ args, context, out }) => {
    const value = context.environment[args[0] ?? ""];
    return value === undefined ? 1 : print(out, value);
  },
  seq,
  ulimit: ({ context, out }) => print(out, String(context.openFiles)),
  ...FILE_PROGRAMS,
  ...NETWORK_PROGRAMS,
};

function echo({ args, out }: CommandCall): CommandResult {
  const plain = args[0] === "-n";
  out(`${(plain ? args.slice(1) : args).join(" ")}${plain ? "" : "\n"}`);
  return 0;
}

function printf({ args, out }: CommandCall): CommandResult {
  const values = args.slice(1);
  const text = (args[0] ?? "")
    .replaceAll("\\n", "\n")
    .replaceAll("\\t", "\t")
    .replaceAll(/%[sd]/g, () => values.shift() ?? "");
  out(text);
  return 0;
}

function sleep({ args, err }: CommandCall): CommandResult {
  const [time = ""] = args;
  if (time === "infinity" || time === "inf") return { kind: "sleep", ms: FOREVER_MS };
  if (/^[0-9.]+$/.test(time)) return { kind: "sleep", ms: Number(time) * 1000 };
  err(`sleep: invalid number '${time}'\n`);
  return 1;
}

function wait({ process }: CommandCall): CommandResult {
  const end = Math.max(process.wakeAtMs, ...process.background);
  return { kind: "wait", ms: end >= FOREVER_MS ? FOREVER_MS : end - process.wakeAtMs };
}

function trap({ args, process }: CommandCall): CommandResult {
  const [script = "", ...signals] = args;
  for (const signal of signals.map(signalName)) {
    if (script === "-") delete process.traps[signal];
    else process.traps[signal] = script;
  }
  return 0;
}

function exportVariables({ args, process }: CommandCall): CommandResult {
  for (const text of args.filter((each) => each.includes("="))) {
    process.vars[text.slice(0, text.indexOf("="))] = text.slice(text.indexOf("=") + 1);
  }
  return 0;
}

function id({ args, context, out }: CommandCall): CommandResult {
  const { uid, gid, name } = context.user;
  const known: Readonly<Record<string, string>> = {
    "-u": String(uid),
    "-g": String(gid),
    "-un": name,
  };
  return print(out, known[args[0] ?? ""] ?? `uid=${uid} gid=${gid}`);
}

function seq({ args, out }: CommandCall): CommandResult {
  const [first, last] = args.length > 1 ? [Number(args[0]), Number(args[1])] : [1, Number(args[0])];
  const count = Math.max(0, last - first + 1);
  if (!Number.isSafeInteger(count)) return 1;
  out(Array.from({ length: count }, (_, index) => `${first + index}\n`).join(""));
  return 0;
}

function print(out: (text: string) => void, text: string): number {
  out(`${text}\n`);
  return 0;
}
