import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { onAbort } from "../../internal/index.ts";
import { agentSource, remoteCommand } from "./agent/source.ts";
import { endSsh, endWithUs } from "./end-ssh.ts";
import { Session } from "./session.ts";
import { sshArguments, sshEnvironment } from "./ssh-arguments.ts";
import type { SshTarget } from "./ssh-target.ts";
import { waitForGreeting } from "./wait-for-greeting.ts";

/** End of what ssh said that is read. */
const STDERR_BYTES = 4096;

/**
 * Connects once: ssh brings up the agent, and all else goes over the streams of that one session.
 *
 * @param signal has it given up, with all that was begun on the way
 * @throws ConnectFailure with the reason, `SessionLost` when it went at once
 */
export async function openSession(target: SshTarget, signal: AbortSignal): Promise<Session> {
  const nonce = randomBytes(8).toString("hex");
  const source = Buffer.from(agentSource(nonce));
  const args = sshArguments(target.at, remoteCommand(nonce, source.byteLength), target.config);
  // Ctrl-C on the terminal is Stowage's to act on: ssh has what the running steps still need
  const child = spawn(target.program ?? "ssh", [...args], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    env: sshEnvironment(),
  });
  endWithUs(child);
  const { stdin, stdout } = child;
  stdin.on("error", () => undefined);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_BYTES);
  });
  stdin.write(source);
  using _waiting = onAbort(signal, () => endSsh(child, "SIGKILL"));
  try {
    await waitForGreeting(child, { target, nonce, stderr: () => stderr });
    const session = new Session({ child, stdin, stdout }, () => lastLine(stderr));
    await session.ready;
    return session;
  } catch (error) {
    endSsh(child, "SIGKILL");
    throw error;
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) || "the other end closed it";
}
