import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { makeImage } from "../../scripts/lib/make-image.ts";
import { createConnector } from "../../src/cli/connector.ts";
import type { CommandContext, Output } from "../../src/cli/context.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import { paintOf } from "../../src/cli/text/paint.ts";

/** What a command line came to. */
export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Questions that were asked. */
  readonly questions: readonly string[];
}

/** A command line in a directory of its own, with everything of the outside world faked. */
export interface FakeCli {
  readonly directory: string;
  run(...argv: readonly string[]): Promise<CliResult>;
  /** Writes a file of the directory as JSON. */
  write(name: string, value: unknown): string;
}

/** What of the outside world is other than {@link fakeContext} has it. */
export type FakeWorld = Partial<Omit<CommandContext, "stdout" | "stderr">> & {
  readonly answers?: readonly boolean[];
  readonly terminal?: boolean;
  /** What there is to be read. */
  readonly stdin?: string;
};

/** The command line with a fake world around it; its directory goes when the test ends. */
export function fakeCli(world: FakeWorld = {}): FakeCli {
  const directory = mkdtempSync(join(tmpdir(), "stw-cli-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const answers = [...(world.answers ?? [])];
  return {
    directory,
    write: (name, value) => {
      const path = join(directory, name);
      writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
      return path;
    },
    run: async (...argv) => {
      const { context, stdout, stderr, questions } = fakeContext(directory, world, answers);
      const exitCode = await runCli(argv, context);
      return { exitCode, stdout: stdout.text(), stderr: stderr.text(), questions };
    },
  };
}

/** What a command sees of a fake world, and what it says to it. */
export function fakeContext(directory: string, world: FakeWorld, answers: boolean[] = []) {
  const { answers: _, terminal = false, stdin = "", ...overrides } = world;
  const [stdout, stderr] = [recorder(terminal), recorder(terminal)];
  const questions: string[] = [];
  const isInteractive = (world.answers ?? []).length > 0;
  const context: CommandContext = {
    stdout,
    stderr,
    env: {},
    cwd: directory,
    platform: "linux",
    program: "",
    isInteractive: () => isInteractive,
    paint: paintOf(false),
    drain: new AbortController().signal,
    abort: new AbortController().signal,
    goOnUnread: () => {},
    appliedBy: "ann@desk",
    connector: createConnector(),
    now: () => new Date(),
    confirm: async (question) => {
      questions.push(question);
      return answers.shift() ?? false;
    },
    bytes: async () => ({
      stdin: async function* () {
        yield Buffer.from(stdin);
      },
      stdout: (bytes) => stdout.write(Buffer.from(bytes).toString()),
      stderr: (bytes) => stderr.write(Buffer.from(bytes).toString()),
      isTerminal: () => terminal,
      openTerminal: () => ({
        size: { columns: 80, rows: 24 },
        resizes: (async function* () {})(),
        [Symbol.dispose]: () => {},
      }),
      close: () => {},
    }),
    ...overrides,
  };
  return { context, stdout, stderr, questions };
}

/** A manifest of one pod on one simulated host that lives in a file of the directory. */
export function simManifest(directory: string, spec: Readonly<Record<string, unknown>> = {}) {
  makeImage({
    out: join(directory, "image"),
    reference: "localhost/hello:1",
    config: { cmd: ["sh", "-c", "echo hello; sleep 1000"] },
  });
  return {
    version: "stowage/v1",
    name: "shop",
    id: "owner-1",
    images: { "localhost/hello:1": { layout: "image" } },
    hosts: {
      here: {
        address: "local",
        engine: { kind: "sim", file: join(directory, "sim.json") },
        pods: { web: { containers: { web: { image: "localhost/hello:1", ...spec } } } },
      },
    },
  };
}

function recorder(isTerminal: boolean): Output & { text(): string } {
  let written = "";
  return {
    isTerminal,
    columns: isTerminal ? 80 : undefined,
    write: (text) => {
      written += text;
    },
    ready: async () => {},
    text: () => written,
  };
}
