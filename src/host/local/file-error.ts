import { type ErrorCode, StowageError } from "../../errors/index.ts";

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "not_found",
  EACCES: "permission_denied",
  EPERM: "permission_denied",
  EEXIST: "already_exists",
  ENOSPC: "resource_exhausted",
  EDQUOT: "resource_exhausted",
  EMFILE: "resource_exhausted",
  ENFILE: "resource_exhausted",
  EROFS: "failed_precondition",
  EBUSY: "failed_precondition",
  ENOTDIR: "failed_precondition",
  EISDIR: "failed_precondition",
  ENOTEMPTY: "failed_precondition",
  ELOOP: "failed_precondition",
};

const STATES: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  EACCES: "permission denied; run as root, or grant access",
  EPERM: "permission denied; run as root, or grant access",
  ENOSPC: "no space left; free space on its file system",
  EDQUOT: "the disk quota is used up; free space",
  EROFS: "its file system is read-only",
  ENOTDIR: "a part of the path is not a directory",
  EISDIR: "it is a directory",
  ELOOP: "it is a symbolic link, or its path has too many",
};

/** Code of a system error such as `ENOENT`; undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return error instanceof Error && typeof code === "string" ? code : undefined;
}

/** Whether a path led to nothing. */
export function isAbsent(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** What a failed call on a path comes to. @param action verb and noun: `write file` */
export function fileError(error: unknown, action: string, path: string): StowageError {
  if (error instanceof StowageError) return error;
  const code = systemCode(error) ?? "";
  const state = STATES[code] ?? (error instanceof Error ? error.message : String(error));
  return new StowageError(`Cannot ${action} "${path}": ${state}`, {
    code: CODES[code] ?? "internal",
    context: { path },
    cause: error,
  });
}
