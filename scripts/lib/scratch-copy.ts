import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A copy of the project in a folder of its own; disposing removes it. */
export interface ScratchCopy extends Disposable {
  readonly dir: string;
}

/** Copies all files of the project that git does not ignore; node_modules is shared by a link. */
export function makeScratchCopy(root: string): ScratchCopy {
  const listed = execFileSync("git", ["ls-files", "-z", "-co", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "stw-copy-")));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  try {
    for (const path of listed.split("\0")) {
      // a file that was deleted and not committed yet is still listed; so is a node_modules that is a link
      if (path === "" || path === "node_modules" || !existsSync(join(root, path))) continue;
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      cpSync(join(root, path), join(dir, path), { verbatimSymlinks: true });
    }
    symlinkSync(join(root, "node_modules"), join(dir, "node_modules"));
  } catch (error) {
    remove();
    throw error;
  }
  return { dir, [Symbol.dispose]: remove };
}
