/** A file system as a container sees it; a refusal is the text that a shell prints. */
export interface ProcessFiles {
  read(path: string): string | undefined;
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
  write(path: string, text: string, append: boolean): string | undefined;
  makeDirectory(path: string): string | undefined;
  remove(path: string): string | undefined;
}

/** What a process of the toy shell can see and do. */
export interface ProcessContext {
  readonly environment: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  readonly hostname: string;
  readonly files: ProcessFiles;
  /** Soft limit of open files, as `ulimit -n` prints it. */
  readonly openFiles: number;
  print(line: string): void;
  /** Takes the output itself, byte for byte; absent: lines go to {@link print}. */
  write?(stream: "out" | "err", text: string): void;
  /** What there is to read, once. */
  takeInput?(): string;
  /** @returns false when the port is taken in the pod's network */
  listen(port: number): boolean;
  /** Whether somebody listens on the port: in the pod itself, or where a name of its network leads. */
  reaches(port: number, host?: string): boolean;
}
