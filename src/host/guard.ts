import { EventEmitter, on, once } from "node:events";
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
told=
while read -r word; do
  [ "$word" != over ] || exit 0
  start=$(sed "s/.*) //" "/proc/$word/stat" 2>/dev/null | cut -d" " -f20)
  [ -z "$start" ] || told="$told $word:$start"
done
script=$1
shift
exec 2>/dev/null
eval "$script"' sh "$@" <&3 3<&- 5>&1 >&4 4>&- &) )"`;
const OVER = "over";

/** What sees to it that a script runs if this program goes; disposed of, it does not. */
export interface Guard extends AsyncDisposable {
  /** Gives the script the id of a process, in `$told` with its start as `PID:START`, and those told before. */
  tell(pid: number): void;
}

/**
 * Has a script run on a host if this program goes before it says that all is over: killed, or with its connection.
 *
 * @param args the script's own `$1`, `$2` and so on
 */
export async function openGuard(
  host: Host,
  script: string,
  args: readonly string[] = [],
): Promise<Guard> {
  const state = new EventEmitter();
  const up = once(state, "up").then(() => true);
  const words = on(state, "word");
  const input = async function* () {
    for await (const [word] of words) {
      yield Buffer.from(`${word}\n`);
      if (word === OVER) return;
    }
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
      `Cannot see to it on host "${host.address}" that a command ends with Stowage (${said.trim()}); see that it has setsid of util-linux`,
      { code: "failed_precondition" },
    );
  }
  return {
    tell: (pid) => void state.emit("word", `${pid}`),
    [Symbol.asyncDispose]: async () => {
      state.emit("word", OVER);
      // with its connection it has done its work
      await running.catch(() => undefined);
    },
  };
}
