import { StowageError } from "../../errors/index.ts";
import type {
  BootPlaces,
  CommandResult,
  FileAttributes,
  FileEntry,
  FileStretch,
  Host,
  HostCallOptions,
  HostSnapshot,
  PortHolder,
  ProbeTarget,
  RunOptions,
  SnapshotRequest,
} from "../../host/index.ts";
import { SYSTEMD_RUNNING, SYSTEMD_UNITS } from "../../model/index.ts";
import {
  listEntries,
  putContent,
  putFile,
  putLine,
  readContents,
  readFiles,
} from "./host-files.ts";
import { listeningOn, listeningPorts } from "./listening.ts";
import {
  bytesBelow,
  exists,
  followLinks,
  makeDirectory,
  makeParents,
  removeBelow,
  renameBelow,
} from "./machine-files.ts";
import type { MachineState } from "./machine-state.ts";
import { answersAt } from "./networks.ts";
import type { SimCalls } from "./sim-calls.ts";

const DIRECTORY_MODE = 0o700;
const LINK_DIRECTORY_MODE = 0o755;
const STRETCH_BYTES = 1024 * 1024;

/** The host of a simulated machine. */
export class SimHost implements Host {
  readonly address: string;
  readonly boot: BootPlaces = {
    running: SYSTEMD_RUNNING,
    units: SYSTEMD_UNITS,
    program: ["/usr/bin/stowage"],
  };
  readonly #calls: SimCalls;

  constructor(address: string, calls: SimCalls) {
    this.address = address;
    this.#calls = calls;
  }

  snapshot(request: SnapshotRequest, options: HostCallOptions = {}): Promise<HostSnapshot> {
    return this.#calls.read("host.snapshot", options.signal, (state, nowMs) => ({
      files: readFiles(state, request.files ?? []),
      existing: new Set(
        (request.exist ?? []).filter((path) => exists(state, followLinks(state, path))),
      ),
      dangling: new Set(
        (request.links ?? []).filter(
          (path) => state.links[path] !== undefined && !exists(state, followLinks(state, path)),
        ),
      ),
      entries: listEntries(state, request.list ?? []),
      contents: readContents(state, request.contents ?? []),
      // a simulated disk is never full
      space: new Map(),
      programs: new Map(),
      user: { uid: 0, gid: 0 },
      listening: request.listening === true ? listeningPorts(state) : [],
      monotonicMs: nowMs,
      bootId: state.bootId,
    }));
  }

  holders(
    inodes: readonly number[],
    options: HostCallOptions = {},
  ): Promise<ReadonlyMap<number, PortHolder>> {
    return this.#calls.read("host.holders", options.signal, (state) => {
      const holders = listeningOn(state);
      const found = listeningPorts(state).flatMap(({ inode, port, protocol }) => {
        const holder = holders.get(`${port}/${protocol}`);
        return inodes.includes(inode) && holder !== undefined ? [[inode, holder] as const] : [];
      });
      return new Map(found);
    });
  }

  inspect(path: string, options: HostCallOptions = {}): Promise<FileEntry | undefined> {
    return this.#calls.read("host.inspect", options.signal, (state) => {
      const [content] = readContents(state, [path]).values();
      if (content instanceof Error) throw content;
      if (state.links[path] !== undefined)
        return { kind: "symlink", size: 0, target: state.links[path] };
      if (content?.bytes !== undefined) return { kind: "file", size: content.bytes.byteLength };
      return exists(state, path) ? { kind: "directory", size: 0 } : undefined;
    });
  }

  async reachSocket(path: string): Promise<string> {
    throw new StowageError(`Cannot reach socket "${path}": simulated programs listen on none`, {
      code: "unimplemented",
    });
  }

  diskUsage(path: string, options: HostCallOptions = {}): Promise<number> {
    return this.#calls.read("host.diskUsage", options.signal, (state) =>
      bytesBelow(state, followLinks(state, path)),
    );
  }

  probe(
    target: ProbeTarget,
    _timeoutMs: number,
    options: HostCallOptions = {},
  ): Promise<string | undefined> {
    return this.#calls.read("host.probe", options.signal, (state) => {
      const { port, address } = target;
      if (!answersAt(state, port, address)) return `connection refused on port ${port}`;
      return state.health[String(port)];
    });
  }

  writeFile(path: string, text: string, options: HostCallOptions = {}): Promise<void> {
    return this.#change("host.writeFile", options, (state) =>
      putFile(state, followLinks(state, path), text),
    );
  }

  placeFile(
    path: string,
    bytes: Uint8Array,
    attributes: FileAttributes,
    options: HostCallOptions = {},
  ): Promise<void> {
    return this.#change("host.placeFile", options, (state) =>
      putContent(state, followLinks(state, path), bytes, attributes),
    );
  }

  async writeBytes(
    path: string,
    bytes: AsyncIterable<Uint8Array>,
    options: HostCallOptions = {},
  ): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const part of bytes) parts.push(part);
    await this.writeFile(path, Buffer.concat(parts).toString("utf8"), options);
  }

  appendLine(
    path: string,
    line: string,
    maxBytes: number,
    options: HostCallOptions = {},
  ): Promise<void> {
    return this.#change("host.appendLine", options, (state) =>
      putLine(state, followLinks(state, path), line, maxBytes),
    );
  }

  async appendBytes(
    path: string,
    offset: number,
    bytes: AsyncIterable<Uint8Array>,
    options: HostCallOptions = {},
  ): Promise<void> {
    const before = await this.readFileFrom(path, 0, options);
    const parts: Uint8Array[] = [(before?.bytes ?? new Uint8Array()).subarray(0, offset)];
    for await (const part of bytes) parts.push(part);
    await this.writeFile(path, Buffer.concat(parts).toString("utf8"), options);
  }

  createFile(path: string, text: string, options: HostCallOptions = {}): Promise<boolean> {
    return this.#change("host.createFile", options, (state) => {
      const target = followLinks(state, path);
      if (exists(state, target)) return false;
      putFile(state, target, text);
      return true;
    });
  }

  linkFile(path: string, target: string, options: HostCallOptions = {}): Promise<void> {
    return this.#change("host.linkFile", options, (state) => {
      makeParents(state, path, LINK_DIRECTORY_MODE);
      state.links[path] = target;
    });
  }

  removeFile(path: string, options: HostCallOptions = {}): Promise<void> {
    return this.#change("host.removeFile", options, (state) => {
      if (state.links[path] === undefined) delete state.files[followLinks(state, path)];
      else delete state.links[path];
    });
  }

  readFileFrom(
    path: string,
    offset: number,
    options: HostCallOptions = {},
  ): Promise<FileStretch | undefined> {
    return this.#calls.read("host.readFileFrom", options.signal, (state) => {
      const file = state.files[followLinks(state, path)];
      if (file === undefined) return undefined;
      const bytes = Buffer.from(file.text).subarray(offset, offset + STRETCH_BYTES);
      return { bytes, nextOffset: offset + bytes.length };
    });
  }

  moveDirectory(from: string, to: string, options: HostCallOptions = {}): Promise<void> {
    return this.#change("host.moveDirectory", options, (state) => {
      if (state.links[from] !== undefined || !exists(state, from)) return;
      if (state.links[to] === from) delete state.links[to];
      if (exists(state, to)) {
        throw new StowageError(`Cannot move directory "${from}" to "${to}": both exist`, {
          code: "already_exists",
          context: { from, to },
        });
      }
      makeParents(state, to, DIRECTORY_MODE);
      renameBelow(state, from, to);
      state.links[from] = to;
    });
  }

  markPrograms(): void {}

  endPrograms(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  /** A simulated host has no programs: always `not_found`. */
  run(command: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return this.#change("host.run", options, () => {
      throw new StowageError(
        `Cannot run program "${command[0] ?? ""}": a simulated host has no programs`,
        { code: "not_found" },
      );
    });
  }

  // biome-ignore lint/correctness/useYield: no program of it has output
  async *runLines(
    command: readonly string[],
    options: HostCallOptions = {},
  ): AsyncGenerator<string, void, undefined> {
    await this.run(command, options);
  }

  makeDirectory(
    path: string,
    attributes: { readonly mode: number; readonly uid?: number; readonly gid?: number },
    options: HostCallOptions = {},
  ): Promise<void> {
    return this.#change("host.makeDirectory", options, (state) => {
      const { mode, uid = 0, gid = 0 } = attributes;
      const target = followLinks(state, path);
      makeParents(state, target, DIRECTORY_MODE);
      makeDirectory(state, target, { mode, uid, gid });
    });
  }

  removeDirectory(path: string, options: HostCallOptions = {}): Promise<void> {
    return this.#change("host.removeDirectory", options, (state) =>
      removeBelow(state, followLinks(state, path), true),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#calls.close("host");
    this.#calls.machine.forget();
  }

  #change<T>(
    name: string,
    options: HostCallOptions,
    effect: (state: MachineState) => T,
  ): Promise<T> {
    return this.#calls.write(name, options.signal, (part) => part(effect));
  }
}
