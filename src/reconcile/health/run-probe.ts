import { StowageError } from "../../errors/index.ts";
import type { PodIdentity, Probe } from "../../model/index.ts";
import type { HostSession } from "../execute/host-session.ts";

/**
 * Asks a container once.
 *
 * @param address of the pod, where it has one of its own
 * @returns undefined when it is healthy, else why not
 */
export async function runProbe(
  { engine, host, signal }: Pick<HostSession, "engine" | "host" | "signal">,
  identity: PodIdentity,
  container: string,
  probe: Probe,
  timeoutMs: number,
  address?: string,
): Promise<string | undefined> {
  const at = address === undefined ? {} : { address };
  switch (probe.kind) {
    case "exec":
      try {
        const options = { timeoutMs, signal };
        const { exitCode } = await engine.exec(identity, container, probe.command, options);
        return exitCode === 0 ? undefined : `its probe ended with exit code ${exitCode}`;
      } catch (error) {
        signal.throwIfAborted();
        if (!StowageError.is(error)) throw error;
        return error.message;
      }
    case "http":
      return await host.probe(
        { ...at, port: probe.port, http: { path: probe.path ?? "/" } },
        timeoutMs,
        { signal },
      );
    case "tcp":
      return await host.probe({ ...at, port: probe.port }, timeoutMs, { signal });
    default:
      return probe satisfies never;
  }
}
