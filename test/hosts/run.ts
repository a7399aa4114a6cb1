import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Output that is kept of a program. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** Nothing here takes longer, however busy the machine is. */
const TIMEOUT_MS = 120_000;

/** Runs a program of the machine to its end. @returns its stdout; a failure is an error with its stderr */
export async function run(program: string, args: readonly string[]): Promise<string> {
  const options = { maxBuffer: OUTPUT_BYTES_MAX, timeout: TIMEOUT_MS };
  return (await execute(program, [...args], options)).stdout;
}

/** A program that lives until its input ends, which is when this process does at the latest. */
export async function startUntilInputEnds(
  program: string,
  args: readonly string[],
): Promise<ChildProcess> {
  const child = spawn(program, [...args], { stdio: ["pipe", "pipe", "pipe"], detached: true });
  child.stdin.on("error", () => undefined);
  let said = "";
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4096);
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes("ready\n")) resolve();
    });
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`${program} ended with ${code}: ${said}`)));
  });
  await ready;
  return child;
}

/** Waits until a program of {@link startUntilInputEnds} has ended. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
