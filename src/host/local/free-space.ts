import { statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { FreeSpace } from "../host.ts";
import { isAbsent } from "./file-error.ts";

/** The free space below a path, or where it would be created; undefined if not known. */
export function freeSpaceAt(path: string): FreeSpace | undefined {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = statfsSync(at);
      return { freeBytes: bavail * bsize, fileSystem: String(statSync(at).dev) };
    } catch (error) {
      if (!isAbsent(error) || at === "/") return undefined;
    }
  }
}
