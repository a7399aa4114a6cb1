import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { StowageError } from "../../errors/index.ts";
import { releaseFileLock, tryFileLock } from "./file-lock.ts";
import { type MachineState, STATE_VERSION } from "./machine-state.ts";
import type { MachineStore } from "./machine-store.ts";

const LOCK_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

const records = z.record(z.string(), z.looseObject({}));
const StateFile = z.looseObject({
  version: z.literal(STATE_VERSION),
  bootId: z.string(),
  clock: z.strictObject({ offsetMs: z.number(), virtualMs: z.number().optional() }),
  nextPid: z.int(),
  files: records,
  directories: records,
  links: z.record(z.string(), z.string()),
  pods: records,
  images: records,
  leftovers: z.record(z.string(), z.string()),
  listeners: z.array(z.looseObject({})),
  health: z.record(z.string(), z.string()),
});

/**
 * A machine in a JSON file, which several processes may use at once.
 *
 * Each change is a lock file, a read, and an atomic rename; whoever dies in between leaves the old
 * state or the new one. Looking never writes, not even the first time.
 */
export class FileStore implements MachineStore {
  readonly pollMs = POLL_MS;
  readonly #path: string;
  readonly #fresh: MachineState;
  /** The text is kept only where this process wrote it: who looks at many machines holds none. */
  #cached:
    | { readonly mark: string; readonly state: MachineState; readonly text?: string }
    | undefined;

  /** @param fresh state while there is no file */
  constructor(path: string, fresh: MachineState) {
    this.#path = path;
    this.#fresh = fresh;
  }

  read(): MachineState {
    const mark = this.#mark();
    if (mark === undefined) return structuredClone(this.#fresh);
    if (this.#cached?.mark !== mark) {
      const text = readFileSync(this.#path, "utf8");
      this.#cached = { mark, state: parse(this.#path, text) };
    }
    return this.#cached.state;
  }

  async write<T>(effect: (state: MachineState) => T): Promise<T> {
    mkdirSync(dirname(this.#path), { recursive: true });
    const lock = `${this.#path}.lock`;
    const deadline = Date.now() + LOCK_TIMEOUT_MS;
    while (!tryFileLock(lock)) {
      if (Date.now() > deadline) throw lockTimeout(this.#path, lock);
      await delay(1 + Math.random() * 4);
    }
    try {
      const state = this.read();
      const before = this.#cached && (this.#cached.text ?? readFileSync(this.#path, "utf8"));
      this.#cached = undefined;
      const result = effect(state);
      this.#save(state, before);
      return result;
    } finally {
      releaseFileLock(lock);
    }
  }

  forget(): void {
    this.#cached = undefined;
  }

  #save(state: MachineState, before: string | undefined): void {
    const text = JSON.stringify(state);
    if (text !== before) {
      writeFileSync(`${this.#path}.tmp`, text, { mode: 0o600 });
      renameSync(`${this.#path}.tmp`, this.#path);
    }
    const mark = this.#mark();
    if (mark !== undefined) this.#cached = { mark, text, state };
  }

  #mark(): string | undefined {
    const stat = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
  }
}

function parse(path: string, text: string): MachineState {
  try {
    return StateFile.parse(JSON.parse(text)) as unknown as MachineState;
  } catch (error) {
    throw new StowageError(
      `Cannot read simulated host "${path}": it was not written by this version; remove the file to start again`,
      { code: "failed_precondition", cause: error },
    );
  }
}

function lockTimeout(path: string, lock: string): StowageError {
  return new StowageError(
    `Cannot change simulated host "${path}": another process has held "${lock}" for ${LOCK_TIMEOUT_MS / 1000} s; end that process`,
    { code: "unavailable" },
  );
}
