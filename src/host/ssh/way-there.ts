import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { sshArguments, sshEnvironment } from "./ssh-arguments.ts";
import type { SshTarget } from "./ssh-target.ts";

const execute = promisify(execFile);

/** It reads the configuration, and connects to nobody. */
const READ_MS = 5_000;

/** Who is on the way to a host by the user's configuration, for people; undefined where nobody is. */
export async function wayThere(target: SshTarget): Promise<string | undefined> {
  const args = ["-G", ...sshArguments(target.at, "true", target.config)];
  try {
    const options = { timeout: READ_MS, env: sshEnvironment() };
    const { stdout } = await execute(target.program ?? "ssh", args, options);
    const jump = /^proxyjump (\S+)$/m.exec(stdout)?.[1];
    const isCommand = /^proxycommand /m.test(stdout);
    return jump ?? (isCommand ? "your ProxyCommand" : undefined);
  } catch {
    // the error is the same as it would be without
    return undefined;
  }
}
