import { type ErrorCode, StowageError } from "../errors/index.ts";

/** Read-only files by name, in a folder or an archive; the names are ours, never the image's. */
export interface FileStore extends AsyncDisposable {
  /** The absolute path of the folder or archive. */
  readonly location: string;
  /** Bytes of a file; nothing when there is no such regular file. */
  size(name: string): Promise<number | undefined>;
  /**
   * Bytes of a file from `offset`.
   *
   * @throws StowageError `not_found` when there is no such regular file.
   */
  read(name: string, offset: number): AsyncIterable<Uint8Array>;
}

const CODES: ReadonlyMap<string, ErrorCode> = new Map([
  ["ENOENT", "not_found"],
  ["ENOTDIR", "not_found"],
  ["ELOOP", "not_found"],
  ["EACCES", "permission_denied"],
  ["EPERM", "permission_denied"],
]);

/** Names the file that the system refused. */
export function fileError(path: string, error: unknown): StowageError {
  const errno = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  const code = CODES.get(errno) ?? "internal";
  const remedy =
    code === "not_found"
      ? "check the path"
      : code === "permission_denied"
        ? "make it readable for this user"
        : "check the disk it is on";
  return new StowageError(`Cannot read image file "${path}": ${errno}; ${remedy}`, {
    code,
    cause: error,
    context: { path },
  });
}

/** A file that should be there and is not. */
export function missingFile(location: string, name: string): StowageError {
  return new StowageError(
    `Cannot read image file "${name}" in "${location}": it is not there; copy the whole image again`,
    { code: "not_found", context: { location, file: name } },
  );
}
