import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { StowageError } from "../../errors/index.ts";
import { openLocalHost } from "../../host/index.ts";
import { mapLimited } from "../../internal/index.ts";
import {
  canonicalText,
  FILE_BYTES_MAX,
  type FleetManifest,
  type Json,
  type PodSpec,
  type SecretSource,
} from "../../model/index.ts";
import { secretsIn } from "./declared-secrets.ts";

/** Values of environment variables of the applying machine. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Time that a program may take to print a secret; nobody can answer it a question. */
const COMMAND_MS = 30_000;

const COMMANDS_AT_ONCE = 4;

type Found = { readonly value: Buffer } | { readonly problem: string };

/** Where the values of a fleet's secrets come from. */
export interface SecretValuesParts {
  /** Nothing but what it declares is ever read or run: records come from other machines. */
  readonly manifest: FleetManifest;
  /** Directory that relative paths begin at. */
  readonly manifestDir: string;
  readonly environment: Environment;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Values of the secrets of a fleet, as the applying machine gives them: each file is read and each
 * command run once, when it is first needed.
 */
export class SecretValues {
  readonly #parts: SecretValuesParts;
  readonly #declared: ReadonlySet<string>;
  readonly #found = new Map<string, Promise<Found>>();
  readonly #known = new Map<string, Found>();

  constructor(parts: SecretValuesParts) {
    this.#parts = parts;
    const specs = Object.values(parts.manifest.hosts).flatMap(({ pods }) =>
      Object.values(pods ?? {}),
    );
    this.#declared = new Set(specs.flatMap(secretsIn).map(({ source }) => keyOf(source)));
  }

  /** Reads the files and runs the commands that these pods' secrets come from. Never fails for one that gives nothing. */
  async load(specs: readonly PodSpec[]): Promise<void> {
    const sources = new Map(
      specs
        .flatMap(secretsIn)
        .map(({ source }) => [keyOf(source), source] as const)
        .filter(([key]) => this.#declared.has(key)),
    );
    await mapLimited([...sources], COMMANDS_AT_ONCE, async ([key, source]) => {
      const finding = this.#found.get(key) ?? this.#find(source);
      this.#found.set(key, finding);
      this.#known.set(key, await finding);
    });
  }

  /** The value of a secret that was loaded, or that the environment holds; undefined when it is not available. */
  valueOf(source: SecretSource): Buffer | undefined {
    const found = this.#lookUp(source);
    return "value" in found ? found.value : undefined;
  }

  /** Why a secret is not available, for people; never its value. */
  problemOf(source: SecretSource): string {
    const found = this.#lookUp(source);
    return "problem" in found ? found.problem : "";
  }

  #lookUp(source: SecretSource): Found {
    const { fromEnv } = source;
    if (fromEnv !== undefined) return this.#fromEnv(fromEnv);
    return this.#known.get(keyOf(source)) ?? { problem: `${sourceWords(source)} was not read` };
  }

  async #find(source: SecretSource): Promise<Found> {
    const { fromEnv, fromFile, fromCommand } = source;
    if (fromFile !== undefined) return await this.#fromFile(fromFile);
    if (fromCommand !== undefined) return await this.#fromCommand(fromCommand);
    return this.#fromEnv(fromEnv ?? "");
  }

  #fromEnv(variable: string): Found {
    const text = this.#parts.environment[variable];
    return text === undefined
      ? { problem: `${variable} is not set here` }
      : { value: Buffer.from(text) };
  }

  async #fromFile(path: string): Promise<Found> {
    const problem = (why: string): Found => ({ problem: `file ${path} ${why}` });
    try {
      const value = await readFile(resolve(this.#parts.manifestDir, path));
      return value.length > FILE_BYTES_MAX
        ? problem(`is larger than ${FILE_BYTES_MAX} bytes`)
        : { value };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return problem(code === "ENOENT" ? "is not here" : `cannot be read here (${code ?? "?"})`);
    }
  }

  /** What it prints beside the value may contain the value: none of it is shown. */
  async #fromCommand(command: readonly string[]): Promise<Found> {
    const { environment, manifestDir, signal } = this.#parts;
    const [program = "", ...args] = command;
    const words = sourceWords({ fromCommand: command });
    const path =
      program.includes("/") && !program.startsWith("/") ? resolve(manifestDir, program) : program;
    try {
      const value = new Value();
      const { exitCode } = await openLocalHost().run([path, ...args], {
        cwd: process.cwd(),
        env: setOnly(environment),
        timeoutMs: COMMAND_MS,
        output: { stdout: (bytes) => value.add(bytes), stderr: () => {} },
        ...(signal === undefined ? {} : { signal }),
      });
      if (exitCode !== 0) return { problem: `${words} failed here with exit code ${exitCode}` };
      return value.length === 0
        ? { problem: `${words} printed nothing` }
        : { value: value.toBuffer() };
    } catch (error) {
      signal?.throwIfAborted();
      if (!StowageError.is(error)) throw error;
      if (error.code === "resource_exhausted")
        return { problem: `${words} printed more than ${FILE_BYTES_MAX} bytes` };
      const why = error.code === "not_found" ? "is not installed here" : "could not be run here";
      return {
        problem: `${words} ${error.code === "deadline_exceeded" ? `took longer than ${COMMAND_MS / 1000} s` : why}`,
      };
    }
  }
}

/** What a program prints, byte by byte: it need not be text. */
class Value {
  readonly #parts: Buffer[] = [];
  length = 0;

  /** @throws StowageError `resource_exhausted` when it is more than a secret may have */
  add(bytes: Uint8Array): void {
    this.length += bytes.length;
    if (this.length > FILE_BYTES_MAX)
      throw new StowageError("Cannot take a secret: it is too long", {
        code: "resource_exhausted",
      });
    this.#parts.push(Buffer.from(bytes));
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** A source for people. The arguments of a command are left out: one may be a password of its own. */
export function sourceWords({ fromEnv, fromFile, fromCommand }: SecretSource): string {
  if (fromEnv !== undefined) return `environment variable ${fromEnv}`;
  if (fromFile !== undefined) return `file ${fromFile}`;
  return `command ${fromCommand?.[0] ?? ""}`;
}

function keyOf(source: SecretSource): string {
  return canonicalText(source as Json);
}

function setOnly(environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    ),
  );
}
