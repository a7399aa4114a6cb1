import { StowageError } from "../../errors/index.ts";
import type { Host, HostCallOptions } from "../../host/index.ts";
import type { Limiter } from "../../internal/index.ts";
import {
  type DeclaredFile,
  fileContent,
  filesDirName,
  filesOf,
  type HostDirectories,
  type HostLayout,
  hasFiles,
  hostLayout,
  type PodIdentity,
  type PodSpec,
  type RecordedGeneration,
} from "../../model/index.ts";
import type { FleetIdentity } from "../../plan/index.ts";
import type { SecretValues } from "../secrets/secret-values.ts";
import { isAppliedSecret } from "../secrets/secrets.ts";
import { ensureInMemory, removeIfEmpty } from "./in-memory.ts";

/** Where the files of pods are and where their secrets come from. */
export interface PodFilesParts {
  readonly host: Host;
  readonly directories: HostDirectories;
  readonly secrets: SecretValues;
  /**
   * One at a time, of all hosts that are one machine: what one finds empty and removes must not be what
   * another has just made.
   */
  readonly alone: Limiter;
}

/**
 * The files of the pods of one host, while an apply writes them. Each generation has a directory of its
 * own; secrets have theirs in memory. Engines mount each file read-only.
 */
export class PodFiles {
  readonly #parts: PodFilesParts;
  constructor(parts: PodFilesParts) {
    this.#parts = parts;
  }

  /** A pod as an engine is given it: its files as volumes of the host. */
  mounted(identity: PodIdentity, spec: PodSpec): PodSpec {
    if (!hasFiles(spec)) return spec;
    const files = filesOf(spec);
    const volumes = files.map((file) => [
      volumeName(file),
      { kind: "bind", path: `${this.#dirOf(identity, file)}/${file.name}` } as const,
    ]);
    const containers = Object.entries(spec.containers).map(
      ([name, { files: _, mounts = [], ...rest }]) => {
        const own = files
          .filter(({ container }) => container === name)
          .map((file) => ({ volume: volumeName(file), path: file.path, readOnly: true }));
        return [name, { ...rest, mounts: [...mounts, ...own] }];
      },
    );
    return {
      ...spec,
      volumes: { ...spec.volumes, ...Object.fromEntries(volumes) },
      containers: Object.fromEntries(containers),
    };
  }

  /**
   * Writes the files of a generation, and nothing else is left in its directories. All that is asked
   * for is there when it returns, flushed to disk.
   *
   * @throws StowageError `failed_precondition` when a secret is not available, or is not the one that the
   *   generation was applied with
   */
  async write(
    identity: PodIdentity,
    recorded: Pick<RecordedGeneration, "spec" | "secrets">,
    salt: string | undefined,
    options: HostCallOptions,
  ): Promise<void> {
    const files = filesOf(recorded.spec);
    if (files.length === 0) return;
    const contents = files.map((file) => ({ file, bytes: this.#bytesOf(file, recorded, salt) }));
    await this.#parts.alone(async () => {
      const secret = contents.filter(({ file }) => file.spec.secret !== undefined);
      const plain = contents.filter(({ file }) => file.spec.secret === undefined);
      if (secret.length > 0) {
        await ensureInMemory(this.#parts.host, this.#layoutOf(identity).secretsHome, options);
      }
      for (const some of [plain, secret]) await this.#fill(identity, some, options);
    });
  }

  /** Removes all files of a generation, and directories that are empty then. Absent: nothing happens. */
  async remove(
    fleet: FleetIdentity,
    generation: string | undefined,
    options: HostCallOptions,
  ): Promise<void> {
    const { host, directories } = this.#parts;
    const layout = hostLayout(directories, fleet.owner, fleet.fleet);
    const { filesDir, secretsDir, secretsHome } = layout;
    await this.#parts.alone(async () => {
      for (const above of generation === undefined ? [] : [filesDir, secretsDir]) {
        await host.removeDirectory(`${above}/${generation}`, options);
      }
      for (const directory of [filesDir, secretsDir, secretsHome]) {
        await removeIfEmpty(host, directory, options);
      }
    });
  }

  async #fill(
    identity: PodIdentity,
    contents: readonly { readonly file: DeclaredFile; readonly bytes: Uint8Array }[],
    options: HostCallOptions,
  ): Promise<void> {
    const [first] = contents;
    if (first === undefined) return;
    const { host } = this.#parts;
    const directory = this.#dirOf(identity, first.file);
    await host.makeDirectory(directory, { mode: 0o700 }, options);
    const names = new Set(contents.map(({ file }) => file.name));
    const { entries } = await host.snapshot({ list: [directory] }, options);
    for (const stray of entries.get(directory)?.filter((name) => !names.has(name)) ?? []) {
      await host.removeFile(`${directory}/${stray}`, options);
    }
    for (const { file, bytes } of contents) {
      const { name, mode, uid, gid } = file;
      const owner = {
        ...(uid === undefined ? {} : { uid }),
        ...(gid === undefined ? {} : { gid }),
      };
      await host.placeFile(`${directory}/${name}`, bytes, { mode, ...owner }, options);
    }
  }

  #bytesOf(
    { attribute, spec }: DeclaredFile,
    recorded: Pick<RecordedGeneration, "secrets">,
    salt: string | undefined,
  ): Uint8Array {
    const plain = fileContent(spec);
    if (plain !== undefined) return plain;
    const { secrets } = this.#parts;
    const source = spec.secret ?? {};
    const value = secrets.valueOf(source);
    if (value === undefined) {
      throw new StowageError(
        `Cannot write secret file "${attribute}": ${secrets.problemOf(source)}; fix that and apply again`,
        { code: "failed_precondition" },
      );
    }
    if (isAppliedSecret(value, attribute, recorded, salt) === false) {
      throw new StowageError(
        `Cannot write secret file "${attribute}": its value changed since the plan was made; make a new plan`,
        { code: "failed_precondition" },
      );
    }
    return value;
  }

  #dirOf(identity: PodIdentity, { spec }: DeclaredFile): string {
    const { filesDir, secretsDir } = this.#layoutOf(identity);
    return `${spec.secret === undefined ? filesDir : secretsDir}/${filesDirName(identity)}`;
  }

  #layoutOf({ owner, fleet }: FleetIdentity): HostLayout {
    return hostLayout(this.#parts.directories, owner, fleet);
  }
}

function volumeName({ name }: DeclaredFile): string {
  return `file-${name}`;
}
