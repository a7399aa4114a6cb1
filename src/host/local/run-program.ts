import { spawn } from "node:child_process";
import { constants } from "node:os";
import { StowageError } from "../../errors/index.ts";
import type { CommandResult } from "../host.ts";
import { systemCode } from "./file-error.ts";

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs a program to its end. Its environment is a fixed one: neither the user's language nor a
 * secret of theirs reaches it.
 */
export function runProgram(
  command: readonly string[],
  signal: AbortSignal | undefined,
): Promise<CommandResult> {
  const [program, ...args] = command;
  if (program === undefined || program === "") {
    const error = new StowageError("Cannot run a program: none is named", {
      code: "invalid_argument",
    });
    return Promise.reject(error);
  }
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn(program, args, {
      cwd: "/",
      env: {
        PATH: [process.env["PATH"], PATH].filter(Boolean).join(":"),
        HOME: "/root",
        LC_ALL: "C",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const kill = () => child.kill("SIGKILL");
    signal?.addEventListener("abort", kill, { once: true });
    const [stdout, stderr] = [collect(child.stdout, kill), collect(child.stderr, kill)];
    child.once("error", (error) => {
      signal?.removeEventListener("abort", kill);
      reject(signal?.aborted === true ? signal.reason : spawnError(program, error));
    });
    child.once("close", (code, ended) => {
      signal?.removeEventListener("abort", kill);
      if (signal?.aborted === true) reject(signal.reason);
      else if (stdout.overflow || stderr.overflow) reject(tooMuch(program));
      else {
        const exitCode = code ?? 128 + constants.signals[ended ?? "SIGKILL"];
        resolve({ exitCode, stdout: stdout.text(), stderr: stderr.text() });
      }
    });
  });
}

interface Collected {
  overflow: boolean;
  text(): string;
}

function collect(stream: NodeJS.ReadableStream, onOverflow: () => void): Collected {
  const parts: Buffer[] = [];
  let bytes = 0;
  const collected = { overflow: false, text: () => Buffer.concat(parts).toString("utf8") };
  stream.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes <= OUTPUT_BYTES_MAX) parts.push(part);
    else {
      collected.overflow = true;
      onOverflow();
    }
  });
  return collected;
}

function spawnError(program: string, error: Error): StowageError {
  const code = systemCode(error);
  const state = code === "ENOENT" ? "it is not installed, or not on PATH" : error.message;
  return new StowageError(`Cannot run program "${program}": ${state}`, {
    code: code === "ENOENT" ? "not_found" : code === "EACCES" ? "permission_denied" : "internal",
    cause: error,
  });
}

function tooMuch(program: string): StowageError {
  return new StowageError(
    `Cannot read output of program "${program}": it is longer than ${OUTPUT_BYTES_MAX} bytes`,
    { code: "resource_exhausted" },
  );
}
