import { EventEmitter, once } from "node:events";
import { StowageError } from "../errors/index.ts";
import { AfterLine } from "./byte-sinks.ts";
import type { Host } from "./host.ts";

/**
 * Runs a script when its input ends without the word that says that it is not needed. What runs it stays for whoever
 * waits, and what waits is nobody's child and in a session of its own: neither the end of a connection, which
 * takes all that was begun over it along, nor a key of a terminal ends it.
 */
const GUARD = `exec 3<&0 4>&1
: "$( (exec setsid sh -c '
echo ready
read -r word
[ "$word" != over ] || exit 0
script=$1
shift
exec 2>/dev/null
eval "$script"' sh "$@" <&3 3<&- 5>&1 >&4 4>&- &) )"`;

/**
 * Has a script run on a host if this program goes before it says that all is over: killed, or with its connection.
 * Disposed of, it does not run.
 *
 * @param args the script's own `$1`, `$2` and so on
 */
export async function openGuard(
  host: Host,
  script: string,
  args: readonly string[] = [],
): Promise<AsyncDisposable> {
  const state = new EventEmitter();
  const up = once(state, "up").then(() => true);
  const over = once(state, "over");
  const input = async function* () {
    await over;
    yield Buffer.from("over\n");
  };
  const stdout = new AfterLine(
    /^ready\n/,
    () => {},
    () => state.emit("up"),
  );
  let said = "";
  const running = host.run(["sh", "-c", GUARD, "sh", script, ...args], {
    stdin: input(),
    output: {
      stdout: (bytes) => stdout.put(bytes),
      stderr: (bytes) => {
        said = `${said}${Buffer.from(bytes)}`.slice(-500);
      },
    },
  });
  if (!(await Promise.race([up, running.then(() => false)]))) {
    throw new StowageError(
      `Cannot make sure on host "${host.address}" that a command ends with Stowage (${said.trim()}); check that it has setsid of util-linux`,
      { code: "failed_precondition" },
    );
  }
  return {
    [Symbol.asyncDispose]: async () => {
      state.emit("over");
      // with its connection it has done its work
      await running.catch(() => undefined);
    },
  };
}
