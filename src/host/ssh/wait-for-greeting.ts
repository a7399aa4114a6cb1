import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { ErrorCode } from "../../errors/index.ts";
import { greeting } from "./agent/source.ts";
import { isBeforeTheHost, type SshFailure, sshFailure, unreachable } from "./ssh-failure.ts";
import { type SshTarget, typed } from "./ssh-target.ts";
import { wayThere } from "./way-there.ts";

/** What a host may say before the agent does. */
const NOISE_BYTES_MAX = 64 * 1024;
/** Time from the start of ssh to the agent's first word: through jump hosts, and a sudo that asks DNS in vain. */
const GREETING_MS = 45_000;

/** An attempt that failed, and whether the same is to be tried again. */
export class ConnectFailure extends Error {
  readonly failure: SshFailure;

  constructor(failure: SshFailure) {
    super(failure.error.message);
    this.failure = failure;
  }
}

/** What is known of the attempt. */
interface Attempt {
  readonly target: SshTarget;
  readonly nonce: string;
  readonly stderr: () => string;
}

/**
 * Waits for the agent's first word. What follows it is left in the stream, which is paused.
 *
 * @throws ConnectFailure when ssh ends before that, or it does not come
 */
export function waitForGreeting(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  attempt: Attempt,
): Promise<void> {
  const { target, nonce } = attempt;
  const marker = greeting(nonce);
  return new Promise((resolve, reject) => {
    let noise = Buffer.alloc(0);
    const end = (error?: ConnectFailure): void => {
      clearTimeout(timer);
      child.stdout.off("data", onData).pause();
      child
        .off("close", onClose)
        .off("error", onError)
        .on("error", () => undefined);
      if (error === undefined) resolve();
      else reject(error);
    };
    const fail = (state: string, code: ErrorCode): void =>
      end(new ConnectFailure({ error: unreachable(target.address, state, code), isBusy: false }));
    const timer = setTimeout(() => fail(silent(target), "unavailable"), GREETING_MS);
    const onData = (bytes: Buffer): void => {
      noise = Buffer.concat([noise, bytes]);
      const match = marker.exec(noise.toString("latin1"));
      if (match?.[1] === "ready") {
        end();
        const rest = noise.subarray(match.index + match[0].length);
        if (rest.length > 0) child.stdout.unshift(rest);
      } else if (noise.length > NOISE_BYTES_MAX) fail(NOISY, "failed_precondition");
    };
    const onClose = async (exitCode: number | null): Promise<void> => {
      const { address } = target;
      const [stderr, stdout] = [attempt.stderr(), noise.toString("latin1")];
      const through = isBeforeTheHost(stderr) ? await wayThere(target) : undefined;
      const ended = { address, exitCode, stderr, stdout, target: typed(target), through };
      end(new ConnectFailure(sshFailure(ended)));
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code === "ENOENT")
        fail("there is no ssh on this machine; install OpenSSH's client", "not_found");
      else fail(`ssh cannot be run: ${error.message}`, "internal");
    };
    child.stdout.on("data", onData);
    child.once("close", onClose).once("error", onError);
  });
}

const NOISY = "its shell prints without end before it runs anything; check its start-up files";

function silent(target: SshTarget): string {
  return `no answer for ${GREETING_MS / 1_000} s; check that ssh ${typed(target)} works`;
}
