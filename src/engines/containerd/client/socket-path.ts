import { isAbsolute } from "node:path";
import { StowageError } from "../../../errors/index.ts";
import type { HostReader } from "../../../host/index.ts";

/** Bytes that fit into a Linux socket address with their final zero; longer paths are cut silently. */
const MAX_SOCKET_PATH_BYTES = 107;

/**
 * Refuses a path that cannot be containerd's socket, before anything is dialled.
 *
 * @throws StowageError `invalid_argument` for a relative or too long path, `not_found` when nothing is
 * there, `unavailable` when something else is, `permission_denied` when the folder may not be searched.
 */
export async function checkSocketPath(
  host: HostReader,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const fail = (
    code: "invalid_argument" | "not_found" | "unavailable" | "permission_denied",
    why: string,
    cause?: unknown,
  ): never => {
    throw new StowageError(`Cannot reach containerd at "${path}": ${why}`, {
      code,
      cause,
      context: { socket: path },
    });
  };
  if (!isAbsolute(path)) fail("invalid_argument", "the path is not absolute; write it from /");
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    fail(
      "invalid_argument",
      `the path has ${bytes} bytes, a socket's may have ${MAX_SOCKET_PATH_BYTES}; use a shorter one`,
    );
  }
  const found = await host
    .inspect(path, signal === undefined ? {} : { signal })
    .catch((error: unknown) => {
      if (!StowageError.is(error, "permission_denied")) throw error;
      return fail(
        "permission_denied",
        "its folder may not be accessed; run as root or as a member of the socket's group",
        error,
      );
    });
  if (found === undefined) {
    fail(
      "not_found",
      "there is no such socket; start containerd or correct the address of the engine",
    );
  }
  // where a link leads is seen when it is dialled
  if (found?.kind !== "socket" && found?.kind !== "symlink")
    fail("unavailable", "it is not a socket; correct the address of the engine");
}
