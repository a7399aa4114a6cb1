import { StowageError } from "../errors/index.ts";
import type { HostReader } from "./host.ts";

/** What is about to be written below a directory, at least. */
export interface SpaceNeed {
  readonly path: string;
  readonly bytes: number;
}

/** Bytes by file system that calls of this process are about to write, and that are not counted as used yet. */
const reserved = new Map<string, number>();

/**
 * Sees that file systems of a host can hold what is about to be written, beside all else that is being
 * written by this process; dispose it when that is written. Of a directory whose free space cannot be
 * told nothing is known, and nothing is refused.
 *
 * @param doing what needs the space, for the error: `import image "app:1"`
 * @throws StowageError `resource_exhausted` with how much is needed and there is, before anything is written
 */
export async function reserveSpace(
  host: HostReader,
  needs: readonly SpaceNeed[],
  { doing, signal }: { readonly doing: string; readonly signal?: AbortSignal | undefined },
): Promise<Disposable> {
  const paths = [...new Set(needs.map(({ path }) => path))];
  const options = signal === undefined ? {} : { signal };
  const { space } = await host.snapshot({ space: paths }, options);
  const wanted = new Map<string, { bytes: number; readonly path: string; readonly free: number }>();
  for (const { path, bytes } of needs) {
    const found = space.get(path);
    if (found === undefined) continue;
    const key = `${host.address} ${found.fileSystem}`;
    const sum = wanted.get(key) ?? { bytes: 0, path, free: found.freeBytes };
    wanted.set(key, { ...sum, bytes: sum.bytes + bytes });
  }
  for (const [key, { bytes, path, free }] of wanted) {
    const left = free - (reserved.get(key) ?? 0);
    if (bytes > left) throw full(doing, path, bytes, Math.max(0, left));
  }
  for (const [key, { bytes }] of wanted) change(key, bytes);
  return {
    [Symbol.dispose]: () => {
      for (const [key, { bytes }] of wanted) change(key, -bytes);
      wanted.clear();
    },
  };
}

function change(key: string, bytes: number): void {
  const sum = (reserved.get(key) ?? 0) + bytes;
  if (sum > 0) reserved.set(key, sum);
  else reserved.delete(key);
}

function full(doing: string, path: string, bytes: number, left: number): StowageError {
  return new StowageError(
    `Cannot ${doing}: it needs at least ${megabytes(bytes)} in the file system of ${path}, and ${megabytes(left)} are free there; make room, by stowage prune perhaps`,
    { code: "resource_exhausted", context: { path, needed: bytes, free: left } },
  );
}

/** What is free is rounded down, and looks it. */
function megabytes(bytes: number): string {
  return `${(Math.floor(bytes / 100_000) / 10).toFixed(1)} MB`;
}
