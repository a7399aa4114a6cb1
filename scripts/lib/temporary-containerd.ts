import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type PrivateContainerd,
  startPrivateContainerd,
  stopPrivateContainerd,
} from "./private-containerd.ts";
import { privateContainerdPaths, SOCKET_PATH_MAX_BYTES } from "./private-containerd-config.ts";
import { processMark } from "./process-table.ts";

const PREFIX = "stw-ctd-";

/**
 * Starts a containerd in a new temporary folder, for as long as this process lives.
 *
 * Stop it with `stopPrivateContainerd(dir)`. Where that was missed, because the process was killed,
 * the next call of this function, by any process, removes it.
 *
 * @throws StowageError as `startPrivateContainerd` does.
 */
export async function startTemporaryContainerd(): Promise<PrivateContainerd> {
  const base = temporaryBase();
  await removeAbandoned(base);
  const dir = mkdtempSync(join(base, PREFIX));
  writeFileSync(privateContainerdPaths(dir).ownerFile, processMark(process.pid) ?? "");
  try {
    return await startPrivateContainerd({ dir });
  } catch (error) {
    await stopPrivateContainerd(dir);
    throw error;
  }
}

function temporaryBase(): string {
  const longest = privateContainerdPaths(join(tmpdir(), `${PREFIX}XXXXXX`)).address;
  return Buffer.byteLength(longest) <= SOCKET_PATH_MAX_BYTES ? tmpdir() : "/tmp";
}

async function removeAbandoned(base: string): Promise<void> {
  for (const name of readdirSync(base).filter((entry) => entry.startsWith(PREFIX))) {
    const dir = join(base, name);
    const { ownerFile } = privateContainerdPaths(dir);
    if (!existsSync(ownerFile)) continue;
    const mark = readFileSync(ownerFile, "utf8");
    const pid = Number.parseInt(mark, 10);
    if (mark !== "" && processMark(pid) !== mark) await stopPrivateContainerd(dir);
  }
}
