import { StowageError } from "../../../errors/index.ts";
import type { HostReader } from "../../../host/index.ts";

/** What lies at a path of one layer's folder; symbolic links are not followed. */
export type LayerEntry =
  | { readonly kind: "file" | "directory" | "whiteout" | "other" }
  | { readonly kind: "symlink"; readonly target: string };

/** Access to the folders that layers are unpacked in, which lie on the engine's host. */
export interface LayerFiles {
  /** Undefined when nothing is there. */
  inspect(path: string): Promise<LayerEntry | undefined>;
  /** Text of a regular file. @throws StowageError `resource_exhausted` when it has more than `maxBytes` */
  read(path: string, maxBytes: number): Promise<string>;
}

/** Folders of a host; needs the right to read them, which is root's. */
export function hostLayerFiles(host: HostReader): LayerFiles {
  return {
    async inspect(path) {
      const found = await host.inspect(path);
      if (found === undefined) return undefined;
      const { kind, target = "" } = found;
      if (kind === "symlink") return { kind, target };
      return { kind: kind === "socket" ? "other" : kind };
    },

    async read(path, maxBytes) {
      const found = await host.inspect(path);
      // by somebody's hand: nothing that an image has leads elsewhere
      if (found?.kind !== "file") {
        throw new StowageError(`Cannot read file "${path}" of an image: it is not a regular file`, {
          code: "failed_precondition",
        });
      }
      if (found.size > maxBytes) {
        throw new StowageError(
          `Cannot read file "${path}": it has ${found.size} bytes, ${maxBytes} are allowed`,
          { code: "resource_exhausted" },
        );
      }
      const parts: Uint8Array[] = [];
      for (let offset = 0; offset < found.size; ) {
        const stretch = await host.readFileFrom(path, offset);
        if (stretch === undefined || stretch.bytes.byteLength === 0) break;
        parts.push(stretch.bytes);
        offset = stretch.nextOffset;
      }
      return Buffer.concat(parts).toString("utf8");
    },
  };
}
