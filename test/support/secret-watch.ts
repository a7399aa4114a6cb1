import { spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";

/**
 * Looks at every process of the machine again and again: its command line and its environment. Left out
 * are those of another process namespace or another root (the containers themselves) and what runs
 * `except`, whose user gave it the secrets.
 */
const WATCHER = `
const { readdirSync, readFileSync, readlinkSync } = require("node:fs");
let text = "";
process.stdin.on("data", (part) => { text += part; });
process.stdin.on("end", () => {
  const { values, except } = JSON.parse(text);
  const own = readlinkSync("/proc/self/ns/pid");
  const found = new Set();
  const read = (pid, name) => { try { return readFileSync("/proc/" + pid + "/" + name, "latin1"); } catch { return ""; } };
  const link = (pid, name) => { try { return readlinkSync("/proc/" + pid + "/" + name); } catch { return ""; } };
  const look = () => {
    for (const pid of readdirSync("/proc")) {
      if (!/^\\d+$/.test(pid) || pid === String(process.pid)) continue;
      const told = { cmdline: read(pid, "cmdline"), environ: read(pid, "environ") };
      if (except.some((word) => told.cmdline.includes(word))) continue;
      for (const [where, said] of Object.entries(told)) for (const [name, value] of Object.entries(values)) {
        if (!said.includes(value)) continue;
        if (link(pid, "ns/pid") !== own || link(pid, "root") !== "/") continue;
        // it may have been on its way to become another program
        const now = read(pid, "cmdline");
        if (now === "" || except.some((word) => now.includes(word))) continue;
        found.add(name + " in " + where + " of " + told.cmdline.replaceAll("\\0", " ").slice(0, 60));
      }
    }
  };
  let rounds = 0;
  const timer = setInterval(() => { look(); rounds += 1; }, 25);
  process.on("SIGTERM", () => {
    clearInterval(timer);
    process.stdout.write(JSON.stringify({ rounds, found: [...found] }));
  });
  process.stdout.write("\\n");
});
`;

/** What was seen of secrets in the lists of processes. */
export interface SecretWatchResult {
  /** How often all processes were looked at. */
  readonly rounds: number;
  readonly found: readonly string[];
}

/** Begins to look; @returns what ends it */
export async function watchForSecrets(
  values: Readonly<Record<string, string>>,
  except: readonly string[],
): Promise<() => Promise<SecretWatchResult>> {
  const child = spawn(process.execPath, ["-e", WATCHER], { stdio: ["pipe", "pipe", "inherit"] });
  // of a test that failed as well
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (part: Buffer) => {
    said += part.toString();
  });
  const begun = once(child.stdout, "data");
  child.stdin.end(JSON.stringify({ values, except }));
  await begun;
  return async () => {
    const ended = once(child, "close");
    child.kill("SIGTERM");
    await ended;
    return JSON.parse(said) as SecretWatchResult;
  };
}
