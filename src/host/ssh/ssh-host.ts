import { randomBytes } from "node:crypto";
import { StowageError } from "../../errors/index.ts";
import { abortable } from "../../internal/index.ts";
import type {
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
} from "../host.ts";
import { fileError } from "../local/file-error.ts";
import { runWithin } from "../local/run-program.ts";
import { MarkingHost } from "../marking-host.ts";
import type { Channel } from "./channel.ts";
import { ChannelSocket } from "./channel-socket.ts";
import { Forwards } from "./forward.ts";
import { refused, settle, toStowageError } from "./remote-answer.ts";
import { RemoteError } from "./remote-error.ts";
import { remoteLines, runRemote } from "./remote-program.ts";
import { readSnapshot, snapshotQuestion } from "./remote-snapshot.ts";
import { SessionLost } from "./session.ts";
import { type LinkLease, leaseLink, type SharedLinks } from "./shared-links.ts";
import { parseSshAddress } from "./ssh-address.ts";
import { streamBytes } from "./stream-bytes.ts";

/** How hosts are reached by ssh. */
export interface SshHostOptions {
  /** File in place of the user's own configuration. */
  readonly config?: string;
  /** @defaultValue ssh */
  readonly program?: string;
  /** Connections that are open: the one that leads there is used, and a new one is put there. @defaultValue none */
  readonly links?: SharedLinks;
  /**
   * Whether one of them that is lost is waited for: who looks again anyway does not.
   *
   * @defaultValue true
   */
  readonly waits?: boolean;
}

/** What is asked of the agent. */
type Question = readonly (string | Uint8Array | number)[];

/**
 * A machine that is reached by the user's own OpenSSH: one connection, made at once, as a login takes longer than
 * all that is to be loaded meanwhile, and again when it was lost, and everything over that. Whoever uses it first is
 * told why it could not be made.
 *
 * @param address `ssh://user@host:port`
 */
export function openSshHost(address: string, options: SshHostOptions = {}): Host {
  const { links = new Map(), waits = true, ...how } = options;
  const target = { address, at: parseSshAddress(address), ...how };
  return new SshHost(leaseLink(links, target, waits), address);
}

class SshHost extends MarkingHost implements Host {
  readonly address: string;
  readonly #link: LinkLease;
  readonly #forwards: Forwards;

  constructor(link: LinkLease, address: string) {
    super();
    this.#link = link;
    this.address = address;
    this.#forwards = new Forwards((path) => this.#dial("unix", path));
  }

  async snapshot(request: SnapshotRequest, options?: HostCallOptions): Promise<HostSnapshot> {
    return readSnapshot(await this.#ask(snapshotQuestion(request), "look at", "/", options));
  }

  async holders(
    inodes: readonly number[],
    options?: HostCallOptions,
  ): Promise<ReadonlyMap<number, PortHolder>> {
    const list = await this.#ask(["holders", ...inodes], "look at", "/proc", options);
    const found = new Map<number, PortHolder>();
    for (let at = 0; at + 2 < list.length; at += 3)
      found.set(Number(list[at]), { pid: Number(list[at + 1]), name: String(list[at + 2]) });
    return found;
  }

  async readFileFrom(
    path: string,
    offset: number,
    options?: HostCallOptions,
  ): Promise<FileStretch | undefined> {
    const [bytes] = await this.#ask(["stretch", path, offset], "read file", path, options);
    return bytes === undefined ? undefined : { bytes, nextOffset: offset + bytes.length };
  }

  async inspect(path: string, options?: HostCallOptions): Promise<FileEntry | undefined> {
    const [kind, size, target] = await this.#ask(["inspect", path], "look at", path, options);
    if (kind === undefined) return undefined;
    const entry = { kind: String(kind) as FileEntry["kind"], size: Number(size) };
    return entry.kind === "symlink" ? { ...entry, target: String(target) } : entry;
  }

  async reachSocket(path: string, options?: HostCallOptions): Promise<string> {
    const { signal } = options ?? {};
    try {
      // asked once now: why nobody answers could not be told by a socket that only ends
      await this.#link.again(signal, async (session) => {
        const channel = session.open(["dial", "unix", path]);
        await abortable(channel.started, signal).finally(() => channel.cancel());
      });
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      const isRefused = error.code === "ECONNREFUSED";
      throw isRefused ? refused(this.address, path, error) : fileError(error, "dial socket", path);
    }
    return await this.#forwards.to(path);
  }

  async diskUsage(path: string, options?: HostCallOptions): Promise<number> {
    const [bytes] = await this.#ask(["usage", path], "measure", path, options);
    return Number(bytes);
  }

  async probe(
    target: ProbeTarget,
    timeoutMs: number,
    options?: HostCallOptions,
  ): Promise<string | undefined> {
    const { probePort } = await import("../local/probe-port.ts");
    return await probePort(
      target,
      timeoutMs,
      options?.signal,
      ({ host, port }) => new ChannelSocket(this.#dial("tcp", host, port)),
    );
  }

  async writeFile(path: string, text: string, options?: HostCallOptions): Promise<void> {
    await this.#place(path, Buffer.from(text), undefined, options);
  }

  async writeBytes(
    path: string,
    bytes: AsyncIterable<Uint8Array>,
    options?: HostCallOptions,
  ): Promise<void> {
    await this.#stream(["write", path, "", "", ""], bytes, path, options);
  }

  async appendBytes(
    path: string,
    offset: number,
    bytes: AsyncIterable<Uint8Array>,
    options?: HostCallOptions,
  ): Promise<void> {
    await this.#stream(["append", path, offset], bytes, path, options);
  }

  async placeFile(
    path: string,
    bytes: Uint8Array,
    attributes: FileAttributes,
    options?: HostCallOptions,
  ): Promise<void> {
    await this.#place(path, bytes, attributes, options);
  }

  async appendLine(
    path: string,
    line: string,
    maxBytes: number,
    options?: HostCallOptions,
  ): Promise<void> {
    const { signal } = options ?? {};
    // not again: it may have been added
    await this.#link.once(signal, (session) =>
      settle(session.open(["appendline", path, maxBytes, line]), "write file", path, signal),
    );
  }

  async createFile(path: string, text: string, options?: HostCallOptions): Promise<boolean> {
    const unique = `.${randomBytes(8).toString("hex")}`;
    // not again: a file that is there may be ours by then
    const [made] = await this.#link.once(options?.signal, (session) =>
      settle(session.open(["create", path, unique, text]), "create file", path, options?.signal),
    );
    return String(made) === "1";
  }

  async moveDirectory(from: string, to: string, options?: HostCallOptions): Promise<void> {
    const [isDone] = await this.#ask(["move", from, to], "move directory", from, options);
    if (String(isDone) === "1") return;
    throw new StowageError(`Cannot move directory "${from}" to "${to}": both exist`, {
      code: "already_exists",
      context: { from, to },
    });
  }

  async linkFile(path: string, target: string, options?: HostCallOptions): Promise<void> {
    await this.#ask(["link", path, target], "make link", path, options);
  }
  async removeFile(path: string, options?: HostCallOptions): Promise<void> {
    await this.#ask(["remove", path], "remove file", path, options);
  }

  async makeDirectory(
    path: string,
    {
      mode,
      uid = "",
      gid = "",
    }: { readonly mode: number; readonly uid?: number | ""; readonly gid?: number | "" },
    options?: HostCallOptions,
  ): Promise<void> {
    await this.#ask(["mkdir", path, mode, uid, gid], "make directory", path, options);
  }

  async removeDirectory(path: string, options?: HostCallOptions): Promise<void> {
    await this.#ask(["rmdir", path], "remove directory", path, options);
  }

  protected override async runUnmarked(
    command: readonly string[],
    options: RunOptions,
  ): Promise<CommandResult> {
    return await runWithin(command, options, (program, args, _, signal) =>
      this.#link.once(signal, (session) => runRemote(session, program, args, options, signal)),
    );
  }

  async *runLines(
    command: readonly string[],
    options: Pick<RunOptions, "signal" | "env"> = {},
  ): AsyncGenerator<string, void, undefined> {
    const session = await this.#link.session(options.signal);
    try {
      yield* remoteLines(session, command, options);
    } catch (error) {
      throw error instanceof SessionLost ? this.#link.lost(error) : error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#forwards.close();
    await this.#link.close();
  }

  async #dial(...to: readonly (string | number)[]): Promise<Channel> {
    return (await this.#link.session(undefined)).open(["dial", ...to]);
  }

  /** Something that may be done twice. */
  async #ask(
    question: Question,
    action: string,
    path: string,
    options: HostCallOptions | undefined,
  ): Promise<readonly Buffer[]> {
    const signal = options?.signal;
    return await this.#link.again(signal, (session) =>
      settle(session.open(question), action, path, signal),
    );
  }

  async #stream(
    question: readonly (string | number)[],
    bytes: AsyncIterable<Uint8Array>,
    path: string,
    options: HostCallOptions | undefined,
  ): Promise<void> {
    const signal = options?.signal;
    await this.#link.once(signal, async (session) => {
      try {
        await streamBytes(session, question, bytes, signal);
      } catch (error) {
        throw toStowageError(error, "write file", path);
      }
    });
  }

  async #place(
    path: string,
    bytes: Uint8Array,
    attributes: FileAttributes | undefined,
    options: HostCallOptions | undefined,
  ): Promise<void> {
    const { mode = "", uid = "", gid = "" } = attributes ?? {};
    const signal = options?.signal;
    await this.#link.again(signal, async (session) => {
      const channel = session.open(["write", path, mode, uid, gid]);
      await channel.write(bytes);
      channel.end();
      await settle(channel, "write file", path, signal);
    });
  }
}
