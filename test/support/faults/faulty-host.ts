import { createHash } from "node:crypto";
import { StowageError } from "../../../src/errors/index.ts";
import type { CommandResult, Host, RunOptions } from "../../../src/host/index.ts";
import { plainNames } from "../engines/engine-lab.ts";
import type { FaultKind, FaultPoint } from "./fault.ts";

const OF_COMMANDS: readonly FaultKind[] = ["error", "lost", "hang", "killed"];
const OF_FILES: readonly FaultKind[] = ["error", "lost"];
/** The longest that a command hangs here, whatever time it has. */
const HANG_MS = 300;
/** After this long a command is killed. */
const KILL_SECONDS = "0.04";
const BROKEN: CommandResult = { exitCode: 125, stdout: "", stderr: "Error: a fault\n" };

/** A host whose calls go wrong where a fault says so. @param folder that its names are told without */
export function faultyHost(host: Host, faults: FaultPoint, folder: string): Host {
  return new Proxy(host, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== "function" || typeof key !== "string") return member;
      if (key === "runLines" || key === "markPrograms") return member.bind(target);
      if (key === "run") {
        return async (command: readonly string[], options: RunOptions = {}) => {
          const kind = faults.meet(commandName(command, folder), OF_COMMANDS);
          return await runFaulty(target, command, options, kind);
        };
      }
      return async (...args: unknown[]) => {
        const about = typeof args[0] === "string" ? ` ${plain(args[0], folder)}` : "";
        const kind = faults.meet(`host ${key}${about}`, OF_FILES);
        if (kind === "error") throw broken(key);
        const result: unknown = await (member as (...all: unknown[]) => unknown).apply(
          target,
          args,
        );
        if (kind === "lost") throw broken(key);
        return result;
      };
    },
  });
}

async function runFaulty(
  host: Host,
  command: readonly string[],
  options: RunOptions,
  kind: FaultKind | undefined,
): Promise<CommandResult> {
  switch (kind) {
    case "error":
      return BROKEN;
    case "hang": {
      const { stdin: _, timeoutMs = HANG_MS, ...rest } = options;
      // one that waits for ever is as bad as none
      if (!Number.isFinite(timeoutMs)) throw new Error(`no deadline: ${command.join(" ")}`);
      const shortened = { ...rest, timeoutMs: Math.min(timeoutMs, HANG_MS) };
      return await host.run(["sh", "-c", "sleep 1000 & wait"], shortened);
    }
    case "killed":
      return await host.run(["timeout", "-s", "KILL", KILL_SECONDS, ...command], options);
    case "lost":
      await host.run(command, options);
      return BROKEN;
    default:
      return await host.run(command, options);
  }
}

function broken(key: string): StowageError {
  return new StowageError(`Cannot ${key}: a fault`, { code: "internal" });
}

/** A command by its program and what it does, without what is another one each time. */
function commandName(command: readonly string[], folder: string): string {
  const [program = "", ...args] = command.map((word) => plain(word, folder));
  const words = args.filter((word) => !word.startsWith("-"));
  if (program.split("/").at(-1) !== "sh") {
    return `run ${program.split("/").at(-1)} ${words.join(" ").slice(0, 60)}`;
  }
  // a script of ours, and the command that it is given
  const [script = "", , ...given] = words;
  const hash = createHash("sha256").update(script).digest("hex").slice(0, 6);
  const first = script.trim().split("\n")[0]?.slice(0, 40);
  return `run script ${hash} (${first}) ${given.join(" ").slice(0, 40)}`;
}

/** Without generations, hashes, ids and numbers: one that is another each time is not met again. */
function plain(text: string, folder: string): string {
  const [named = ""] = plainNames([text.replaceAll(folder, "")]);
  return (
    named
      // of an interface, of one generation or of a network
      .replaceAll(/\bstw-[a-z2-7]{11}\b/g, "stw-*")
      .replaceAll(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b[0-9a-f]{12,}\b|\b[a-z2-7]{26}\b/g, "*")
      .replaceAll(/\d+/g, "#")
  );
}
