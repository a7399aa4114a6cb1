import { type ExecStreams, notBegun } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { objectName, type PodIdentity } from "../../model/index.ts";
import { containerContext, startDirectory } from "./container-context.ts";
import { ExecOutput, inputText } from "./exec-bytes.ts";
import type { MachineState, ProcessState, SimContainer, SimPod } from "./machine-state.ts";
import type { ProcessContext } from "./process/process-context.ts";
import { isProgram, newProcess, runProcess, type Scripts } from "./process/run-process.ts";
import { isMissingCommand } from "./process-argv.ts";
import type { Part } from "./sim-calls.ts";
import type { SimMachine } from "./sim-machine.ts";

/** What to run, and where. */
export interface ExecRequest {
  readonly identity: PodIdentity;
  readonly container: string;
  readonly command: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly streams: ExecStreams | undefined;
  readonly signal: AbortSignal | undefined;
}

interface Running {
  readonly pid: number | undefined;
  readonly process: ProcessState;
  readonly deadlineMs: number;
  readonly output: ExecOutput | undefined;
  /** What there is to read; taken by the first that reads. */
  input: string;
}

const KILLED = 137;

/** Runs a command in a container to its end; @returns its exit code. */
export async function execCommand(
  part: Part,
  machine: SimMachine,
  request: ExecRequest,
): Promise<number> {
  const scripts: Scripts = new Map();
  // nobody waits for the end of what is typed
  const { stdin, terminal } = request.streams ?? {};
  const input = await inputText(terminal === undefined ? stdin : undefined);
  const begun = await part((state, nowMs) => begin(state, request, nowMs, input));
  if (typeof begun === "number") return begun;
  for (;;) {
    const step = await part((state, nowMs) => advance(state, request, begun, nowMs, scripts));
    await begun.output?.flush();
    if (step.exitCode !== undefined) return step.exitCode;
    if (step.nowMs >= begun.deadlineMs) throw timedOut(request);
    await machine.wait(Math.min(begun.process.wakeAtMs, begun.deadlineMs), request.signal);
  }
}

function begin(
  state: MachineState,
  request: ExecRequest,
  nowMs: number,
  input: string,
): Running | number {
  const { container } = requireRunning(state, request);
  const { command, timeoutMs = Number.POSITIVE_INFINITY, streams } = request;
  if (isMissingCommand(command)) {
    throw notBegun(request, 127);
  }
  // A command that the toy shell does not know is taken for one that looks after the container.
  if (!isProgram(command[0])) return state.health[container.id] === undefined ? 0 : 1;
  const output = streams === undefined ? undefined : new ExecOutput(streams);
  const process = newProcess(command, startDirectory(container), nowMs);
  return { pid: container.pid, process, deadlineMs: nowMs + timeoutMs, output, input };
}

function advance(
  state: MachineState,
  request: ExecRequest,
  running: Running,
  nowMs: number,
  scripts: Scripts,
): { readonly exitCode: number | undefined; readonly nowMs: number } {
  const pod = state.pods[objectName(request.identity)];
  const container = pod?.containers[request.container];
  if (pod === undefined || container === undefined || container.pid !== running.pid) {
    return { exitCode: KILLED, nowMs };
  }
  const context: ProcessContext = {
    ...containerContext(state, pod, container, () => {}),
    ...(running.output === undefined ? {} : { write: running.output.write }),
    takeInput: () => {
      const { input } = running;
      running.input = "";
      return input;
    },
  };
  return { exitCode: runProcess(running.process, context, nowMs, scripts), nowMs };
}

function requireRunning(
  state: MachineState,
  { identity, container: name }: ExecRequest,
): { readonly pod: SimPod; readonly container: SimContainer } {
  const pod = state.pods[objectName(identity)];
  const container = pod?.containers[name];
  if (pod !== undefined && container?.state === "running") return { pod, container };
  throw new StowageError(
    `Cannot run a command in container "${name}" of pod "${identity.pod}": it does not run; start it`,
    { code: "not_found", context: { ...identity, container: name } },
  );
}

function timedOut({ container, timeoutMs }: ExecRequest): StowageError {
  return new StowageError(
    `Cannot finish a command in container "${container}": it took longer than ${timeoutMs} ms and was killed; allow it more time`,
    { code: "deadline_exceeded" },
  );
}
