import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { ApplyEvent } from "../../src/reconcile/index.ts";

/** What a command said, and how it ended. */
export interface CliEnd {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line as it is shipped, each command in a process of its own. */
export class CliProcess {
  readonly #cli: string;
  readonly #env: NodeJS.ProcessEnv;

  /** @param env what its processes have beside the environment of this one */
  constructor(cli: string, env: NodeJS.ProcessEnv) {
    this.#cli = cli;
    this.#env = { ...process.env, ...env };
  }

  /** @param onEvent told of each event of a command with `--json` as it comes */
  async run(
    args: readonly string[],
    onEvent?: (event: ApplyEvent, process: ChildProcess) => void,
  ): Promise<CliEnd> {
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
    const child = spawn(process.execPath, [this.#cli, ...args], { stdio, env: this.#env });
    let [stdout, stderr] = ["", ""];
    createInterface({ input: child.stdout }).on("line", (line) => {
      stdout += `${line}\n`;
      onEvent?.(JSON.parse(line) as ApplyEvent, child);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
    });
  }
}
