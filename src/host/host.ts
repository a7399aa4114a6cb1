/** Options of every call to a host. */
export interface HostCallOptions {
  readonly signal?: AbortSignal;
}

/** What to look at on a host in one round trip. */
export interface SnapshotRequest {
  /** Absolute paths of files to read; `*` stands for anything within one segment. Absent ones are left out of the answer. */
  readonly files?: readonly string[];
  /** Paths to look for. */
  readonly exist?: readonly string[];
  /** Paths to look at for symbolic links that lead nowhere. */
  readonly links?: readonly string[];
  /** Directories whose entries to list by name; absent ones are left out of the answer. */
  readonly list?: readonly string[];
  /**
   * Paths of small files to read with their owner and mode; `*` stands for anything within one segment.
   * Absent ones are left out of the answer.
   */
  readonly contents?: readonly string[];
  /** Directories to tell the free space of, whether they exist or not. */
  readonly space?: readonly string[];
  /** Whether to read which ports are listened on. */
  readonly listening?: boolean;
  /** Programs, by name as they are looked for when they are run, or by path. */
  readonly programs?: readonly string[];
}

/** What a host has to start something at boot with. */
export interface BootPlaces {
  /** Directory that is there while systemd is the host's first process. */
  readonly running: string;
  /** Directory of its administrator's units. */
  readonly units: string;
  /** Command that runs this Stowage on the host itself. */
  readonly program: readonly string[];
}

/** A socket that somebody listens on. */
export interface ListeningPort {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** The one address that it is of; absent: of all. */
  readonly address?: string;
  /** Inode of the socket: what {@link HostReader.holders} takes. */
  readonly inode: number;
}

/** What can still be written below a directory. */
export interface FreeSpace {
  /** For whoever is not root: some of it may be kept back. */
  readonly freeBytes: number;
  /** The same for all directories that share it. */
  readonly fileSystem: string;
}

/** A file with its owner and mode. */
export interface FileContent {
  /** Absent: it is not a regular file, or larger than 1 MiB. */
  readonly bytes?: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What lies at a path; of a symbolic link the link itself. */
export interface FileEntry {
  /** `whiteout` is what overlayfs marks as deleted by. */
  readonly kind: "file" | "directory" | "symlink" | "socket" | "whiteout" | "other";
  readonly size: number;
  /** Of a symbolic link. */
  readonly target?: string;
}

/** Mode of a file, and its owner where that is not to be whoever writes it. */
export interface FileAttributes {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** What a host looked like at one moment. */
export interface HostSnapshot {
  /** Text of each file found, by path; one that could not be read is an Error. */
  readonly files: ReadonlyMap<string, string | Error>;
  readonly existing: ReadonlySet<string>;
  /** Of the paths that were read for it: symbolic links to what is not there, or to themselves. */
  readonly dangling: ReadonlySet<string>;
  readonly entries: ReadonlyMap<string, readonly string[]>;
  /** By path; one that could not be read is an Error. */
  readonly contents: ReadonlyMap<string, FileContent | Error>;
  /** By directory; without those that are not known. */
  readonly space: ReadonlyMap<string, FreeSpace>;
  /** Who looked, and whose files are that get no other owner. */
  readonly user: { readonly uid: number; readonly gid: number };
  readonly listening: readonly ListeningPort[];
  /**
   * What tells a program's file from any other that was in its place: where it is, which file, how large, and when it was changed.
   * Without those that are not there, and scripts, which run who knows what.
   */
  readonly programs: ReadonlyMap<string, string>;
  /** The host's monotonic clock, ms; it only means something against itself. */
  readonly monotonicMs: number;
  /** Changes with each boot. */
  readonly bootId: string;
}

/** A port to ask. */
export interface ProbeTarget {
  /** @defaultValue 127.0.0.1 */
  readonly address?: string;
  readonly port: number;
  /** A GET of this path has to succeed; absent: a connection. */
  readonly http?: { readonly path: string };
}

/** A stretch of a file that may be growing. */
export interface FileStretch {
  readonly bytes: Uint8Array;
  /** Where the next stretch begins. */
  readonly nextOffset: number;
}

/** How to run a program of a host. */
export interface RunOptions extends HostCallOptions {
  /** What the program reads; nothing when absent. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Directory that it is run in. @defaultValue / */
  readonly cwd?: string;
  /** Added to the fixed environment that programs get. It is not in argv, and may hold secrets. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Time after which it is killed, with all that it started.
   *
   * @defaultValue 120_000; none where `output` takes what it says, as somebody waits for that
   */
  readonly timeoutMs?: number;
  /**
   * Goes on to its end when the connection to the host goes, or Stowage itself: for what leaves something
   * behind, truncated, of which nobody could tell whose it is.
   */
  readonly outlives?: boolean;
  /** Takes its output as it comes, however much it is: none of it is in the result then. */
  readonly output?: { readonly stdout: ByteSink; readonly stderr: ByteSink };
}

/** Takes bytes as they come, in order: the next ones are held back until it is done with these. */
export type ByteSink = (bytes: Uint8Array) => Promise<void> | void;

/** What a command on a host came to. */
export interface CommandResult {
  /** 128 + the signal's number when a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The process that holds a socket. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

/**
 * The half of a host that cannot change anything: planning has no other. Every method fails only
 * with StowageError, or with the signal's own reason when it was aborted.
 */
export interface HostReader extends AsyncDisposable {
  /** `local`, or the ssh address. */
  readonly address: string;
  /** Absent: Stowage cannot be run there by the host itself. */
  readonly boot?: BootPlaces;
  snapshot(request: SnapshotRequest, options?: HostCallOptions): Promise<HostSnapshot>;
  /** Who holds sockets, by inode; unknown ones are left out. Slow: only for clashes. */
  holders(
    inodes: readonly number[],
    options?: HostCallOptions,
  ): Promise<ReadonlyMap<number, PortHolder>>;
  /**
   * Reads a file from an offset on, at most 1 MiB; no bytes at its end.
   *
   * @returns undefined when there is no such file
   */
  readFileFrom(
    path: string,
    offset: number,
    options?: HostCallOptions,
  ): Promise<FileStretch | undefined>;
  /** @returns undefined when nothing is there */
  inspect(path: string, options?: HostCallOptions): Promise<FileEntry | undefined>;
  /**
   * Path on this machine of a socket that leads to a Unix socket of the host, until the host is disposed of.
   *
   * @throws StowageError `not_found` or `unavailable` if it is already known that nobody answers there
   */
  reachSocket(path: string, options?: HostCallOptions): Promise<string>;
  /** Bytes used below a directory; 0 when it does not exist. */
  diskUsage(path: string, options?: HostCallOptions): Promise<number>;
  /**
   * Asks a port of the host's loopback address, or of another that the host reaches.
   *
   * @returns undefined when it is healthy, else why not, for people
   */
  probe(
    target: ProbeTarget,
    timeoutMs: number,
    options?: HostCallOptions,
  ): Promise<string | undefined>;
}

/** A Linux machine that Stowage can write on. */
export interface Host extends HostReader {
  /** Replaces a file by an atomic rename, its directories made (0700); mode 0600. Flushed to disk. */
  writeFile(path: string, text: string, options?: HostCallOptions): Promise<void>;
  /** Like {@link writeFile}, with bytes as they come: none of the file is held in memory. */
  writeBytes(
    path: string,
    bytes: AsyncIterable<Uint8Array>,
    options?: HostCallOptions,
  ): Promise<void>;
  /**
   * Writes bytes into a file as they come, from an offset on: what it had beyond that is cut off. A failure leaves
   * what had come, to be continued; 0600, its directories made (0700).
   */
  appendBytes(
    path: string,
    offset: number,
    bytes: AsyncIterable<Uint8Array>,
    options?: HostCallOptions,
  ): Promise<void>;
  /** Like {@link writeFile}, with bytes; the file has its owner and mode from its first moment on. */
  placeFile(
    path: string,
    bytes: Uint8Array,
    attributes: FileAttributes,
    options?: HostCallOptions,
  ): Promise<void>;
  /**
   * Adds a line to a file, its directories made (0700); mode 0600. What a killed writer left half written
   * becomes a line of its own. Flushed to disk.
   *
   * @param maxBytes a file that would get longer is first renamed to `<path>.1`, in place of an older one
   */
  appendLine(
    path: string,
    line: string,
    maxBytes: number,
    options?: HostCallOptions,
  ): Promise<void>;
  /**
   * Makes a file with its whole text, in one instant.
   *
   * @returns false when it exists already: nothing was changed
   */
  createFile(path: string, text: string, options?: HostCallOptions): Promise<boolean>;
  /**
   * Renames a directory and leaves a symbolic link to the new name at the old one; done already: nothing
   * happens. What was killed half-way is completed. It takes the place of the link that it left itself
   * on the way there.
   *
   * @throws StowageError `already_exists` when both names are directories
   */
  moveDirectory(from: string, to: string, options?: HostCallOptions): Promise<void>;
  /** Makes a symbolic link, its directories made (0755); one that is there is replaced in one instant. */
  linkFile(path: string, target: string, options?: HostCallOptions): Promise<void>;
  /** Removes a file or a symbolic link; absent: nothing happens. */
  removeFile(path: string, options?: HostCallOptions): Promise<void>;
  /** Makes a directory and those above it; one that exists keeps its owner and mode. */
  makeDirectory(
    path: string,
    attributes: { readonly mode: number; readonly uid?: number; readonly gid?: number },
    options?: HostCallOptions,
  ): Promise<void>;
  /** Removes a directory and everything below it, never crossing into another mount; absent: nothing happens. */
  removeDirectory(path: string, options?: HostCallOptions): Promise<void>;
  /**
   * Marks what {@link run} runs from now on, by the variable `PROGRAM_MARK` of its environment: programs of a
   * process of ours that was killed are found by it. What is to stay takes it off. `undefined` ends that.
   */
  markPrograms(mark: string | undefined): void;
  /**
   * Waits for programs that another process marked so, and kills those that take longer. What has gone into
   * a session of its own is no program any more, but something that stays.
   *
   * @returns those that cannot be killed either, by id and name
   */
  endPrograms(mark: string, graceMs: number, options?: HostCallOptions): Promise<readonly string[]>;
  /**
   * Runs a program of the host to its end, with no shell between; an abort kills it and all that it started.
   *
   * @throws StowageError `not_found` when there is no such program
   * @throws StowageError `deadline_exceeded` after `timeoutMs`
   */
  run(command: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /**
   * Runs a program of the host, with no shell between, and gives its lines of output as they come.
   * Leaving the loop kills it, and so does an abort.
   *
   * @throws StowageError `not_found` when there is no such program, `unavailable` when it ends in a failure
   */
  runLines(
    command: readonly string[],
    options?: Pick<RunOptions, "signal" | "env">,
  ): AsyncIterable<string>;
}
