import { StowageError } from "../../errors/index.ts";
import { mapLimited } from "../../internal/index.ts";
import type { HostSpec } from "../../model/index.ts";
import type { HostReading } from "../../reconcile/index.ts";
import type { CommandContext } from "../context.ts";
import { printable } from "../text/printable.ts";

const PARALLELISM = 16;

/** A host that could not be asked. */
export interface HostProblem {
  readonly host: string;
  readonly problem: StowageError;
}

/** What was read of a host, or why it could not be. */
export type HostAnswer<T> = ({ readonly host: string } & T) | HostProblem;

/** Reads something of hosts, many at once; one that cannot be asked says why. */
export async function readHosts<T extends object>(
  hosts: readonly (readonly [string, HostSpec])[],
  context: CommandContext,
  parallelism: number | undefined,
  read: (reading: HostReading, host: string, spec: HostSpec) => Promise<T>,
): Promise<readonly HostAnswer<T>[]> {
  return await askHosts(hosts, context, { parallelism, reach: context.connector.read, ask: read });
}

/** Like {@link readHosts}, by whatever way leads to a host. */
export async function askHosts<A extends AsyncDisposable, T extends object>(
  hosts: readonly (readonly [string, HostSpec])[],
  { drain: signal }: CommandContext,
  how: {
    readonly parallelism: number | undefined;
    readonly reach: (name: string, spec: HostSpec, signal: AbortSignal) => Promise<A>;
    readonly ask: (access: A, host: string, spec: HostSpec) => Promise<T>;
  },
): Promise<readonly HostAnswer<T>[]> {
  const { parallelism, reach, ask } = how;
  return await mapLimited(
    hosts,
    parallelism ?? PARALLELISM,
    async ([host, spec]): Promise<HostAnswer<T>> => {
      try {
        await using access = await reach(host, spec, signal);
        return { host, ...(await ask(access, host, spec)) };
      } catch (error) {
        signal.throwIfAborted();
        if (!StowageError.is(error)) throw error;
        return { host, problem: error };
      }
    },
  );
}

/** The hosts that could not be asked. */
export function problemsOf(found: readonly HostAnswer<object>[]): readonly HostProblem[] {
  return found.flatMap((each) => ("problem" in each ? [each] : []));
}

/** Such hosts as `--json` says them. */
export function unreachable(problems: readonly HostProblem[]) {
  return problems.map(({ host, problem: { code, message } }) => ({ host, code, message }));
}

/** Such hosts for people: each is `not listed`, say, and why. */
export function warnOfHosts(
  problems: readonly HostProblem[],
  { stderr }: CommandContext,
  what: string,
): void {
  for (const { host, problem } of problems)
    stderr.write(`warning: host ${host} is ${what}: ${printable(problem.message)}\n`);
}
