import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Plain JavaScript without packages: it runs before there are any. */
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const STAMP = join(ROOT, "node_modules/.stowage-lock");

/** Runs `npm ci` unless node_modules was installed from the package-lock.json that is here now. */
function ensureNodeModules() {
  const lock = createHash("sha256")
    .update(readFileSync(join(ROOT, "package-lock.json")))
    .digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8").trim() === lock) return;
  console.log("Installing npm packages (npm ci) …");
  const { status, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: ROOT,
    stdio: "inherit",
  });
  if (error !== undefined) throw new Error(`Cannot run npm: ${error.message}`, { cause: error });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(STAMP, `${lock}\n`);
}

/**
 * Runs a TypeScript file of scripts/ with this process's arguments, packages installed before, and
 * ends this process with its exit code.
 *
 * @param {string} script name of the file, such as `test.ts`
 */
export function runScript(script) {
  ensureNodeModules();
  const args = ["--import", "tsx", join(ROOT, "scripts", script), ...process.argv.slice(2)];
  // Ctrl-C reaches the script as well, which cleans up; its end is ours
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined);
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  process.exit(status ?? 1);
}
