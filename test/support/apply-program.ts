import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import type { ApplyEvent } from "../../src/reconcile/index.ts";
import type { ApplyOrder } from "../integration/apply-containerd/apply-process.ts";

const ENTRY = join(import.meta.dirname, "../integration/apply-containerd/apply-process.ts");

/** How an apply in a process of its own ended. */
interface ApplyEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly events: readonly ApplyEvent[];
  readonly stderr: string;
}

/** An apply that runs in a process of its own. */
interface RunningApply {
  readonly process: ChildProcess;
  readonly ended: Promise<ApplyEnd>;
}

/** The program that applies a manifest and can be stopped and killed; bundled, so that it starts fast. */
export class ApplyProgram implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "stw-apply-"));
  readonly #program = join(this.#folder, "apply-process.mjs");

  async build(): Promise<void> {
    await build({
      entryPoints: [ENTRY],
      outfile: this.#program,
      bundle: true,
      minify: true,
      platform: "node",
      format: "esm",
      target: "node20",
      banner: {
        js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
      },
    });
  }

  /**
   * @param onEvent told of each event as it is read, with the process
   * @param within makes of its command one that runs it somewhere, in its own place
   */
  start(
    order: ApplyOrder,
    onEvent: (event: ApplyEvent, process: ChildProcess) => void = () => {},
    within: (command: readonly string[]) => readonly string[] = (command) => command,
  ): RunningApply {
    const [program = "", ...words] = within([
      process.execPath,
      this.#program,
      JSON.stringify(order),
    ]);
    const child = spawn(program, words, {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const events: ApplyEvent[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event = JSON.parse(line) as ApplyEvent;
      events.push(event);
      onEvent(event, child);
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const ended = new Promise<ApplyEnd>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode, signal) => resolve({ exitCode, signal, events, stderr }));
    });
    return { process: child, ended };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
