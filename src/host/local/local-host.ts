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
} from "../host.ts";
import { MarkingHost } from "../marking-host.ts";
import { appendFile } from "./append-file.ts";
import { appendLine } from "./append-line.ts";
import { measureDirectory } from "./disk-usage.ts";
import { inspectPath } from "./inspect-path.ts";
import { moveDirectory } from "./move-directory.ts";
import { findPortHolders } from "./port-holders.ts";
import { readStretch } from "./read-stretch.ts";
import { removeTree } from "./remove-directory.ts";
import { runLines } from "./run-lines.ts";
import { runProgram } from "./run-program.ts";
import { takeSnapshot } from "./snapshot.ts";
import { createWhole, linkFile, makeDirectory, removeFile, replaceFile } from "./write-file.ts";

/**
 * The machine that this program runs on. It holds nothing open: disposing it does nothing.
 *
 * @param boot where what starts at boot is put; absent: nowhere
 */
export function openLocalHost({ boot }: { readonly boot?: BootPlaces } = {}): Host {
  return new LocalHost(boot);
}

class LocalHost extends MarkingHost implements Host {
  readonly address = "local";
  readonly boot?: BootPlaces;

  constructor(boot: BootPlaces | undefined) {
    super();
    if (boot !== undefined) this.boot = boot;
  }

  async snapshot(request: SnapshotRequest, options?: HostCallOptions): Promise<HostSnapshot> {
    return await takeSnapshot(request, options?.signal);
  }

  async holders(
    inodes: readonly number[],
    options?: HostCallOptions,
  ): Promise<ReadonlyMap<number, PortHolder>> {
    return await findPortHolders(inodes, options?.signal);
  }

  async readFileFrom(
    path: string,
    offset: number,
    options?: HostCallOptions,
  ): Promise<FileStretch | undefined> {
    options?.signal?.throwIfAborted();
    return await readStretch(path, offset);
  }

  async inspect(path: string, options?: HostCallOptions): Promise<FileEntry | undefined> {
    options?.signal?.throwIfAborted();
    return await inspectPath(path);
  }

  async reachSocket(path: string): Promise<string> {
    return path;
  }

  async diskUsage(path: string, options?: HostCallOptions): Promise<number> {
    return await measureDirectory(path, options?.signal);
  }

  async probe(
    target: ProbeTarget,
    timeoutMs: number,
    options?: HostCallOptions,
  ): Promise<string | undefined> {
    const { probePort } = await import("./probe-port.ts");
    return await probePort(target, timeoutMs, options?.signal);
  }

  async writeFile(path: string, text: string, options?: HostCallOptions): Promise<void> {
    options?.signal?.throwIfAborted();
    await replaceFile(path, text, options?.signal);
  }

  async writeBytes(
    path: string,
    bytes: AsyncIterable<Uint8Array>,
    options?: HostCallOptions,
  ): Promise<void> {
    options?.signal?.throwIfAborted();
    await replaceFile(path, bytes, options?.signal);
  }

  async appendBytes(
    path: string,
    offset: number,
    bytes: AsyncIterable<Uint8Array>,
    options?: HostCallOptions,
  ): Promise<void> {
    options?.signal?.throwIfAborted();
    await appendFile(path, offset, bytes, options?.signal);
  }

  async placeFile(
    path: string,
    bytes: Uint8Array,
    attributes: FileAttributes,
    options?: HostCallOptions,
  ): Promise<void> {
    options?.signal?.throwIfAborted();
    await replaceFile(path, bytes, options?.signal, attributes);
  }

  async appendLine(
    path: string,
    line: string,
    maxBytes: number,
    options?: HostCallOptions,
  ): Promise<void> {
    options?.signal?.throwIfAborted();
    await appendLine(path, line, maxBytes);
  }

  async createFile(path: string, text: string, options?: HostCallOptions): Promise<boolean> {
    options?.signal?.throwIfAborted();
    return await createWhole(path, text);
  }

  async moveDirectory(from: string, to: string, options?: HostCallOptions): Promise<void> {
    options?.signal?.throwIfAborted();
    await moveDirectory(from, to);
  }

  async linkFile(path: string, target: string, options?: HostCallOptions): Promise<void> {
    options?.signal?.throwIfAborted();
    await linkFile(path, target);
  }

  async removeFile(path: string, options?: HostCallOptions): Promise<void> {
    options?.signal?.throwIfAborted();
    await removeFile(path);
  }

  async makeDirectory(
    path: string,
    attributes: { readonly mode: number; readonly uid?: number; readonly gid?: number },
    options?: HostCallOptions,
  ): Promise<void> {
    options?.signal?.throwIfAborted();
    await makeDirectory(path, attributes);
  }

  async removeDirectory(path: string, options?: HostCallOptions): Promise<void> {
    await removeTree(path, options?.signal);
  }

  protected override async runUnmarked(
    command: readonly string[],
    options: RunOptions,
  ): Promise<CommandResult> {
    return await runProgram(command, options);
  }

  runLines(
    command: readonly string[],
    options?: Pick<RunOptions, "signal" | "env">,
  ): AsyncIterable<string> {
    return runLines(command, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
