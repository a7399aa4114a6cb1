import { StowageError } from "../../errors/index.ts";
import type { HostCallOptions, HostReader } from "../host.ts";

/** A moment: so long ago by the host's own clock, or one that means the same everywhere. */
export type LogMoment = { readonly agoMs: number } | { readonly atMs: number };

/**
 * A moment in the terms of the host's own clock, which is the one that its logs were written by.
 *
 * @returns milliseconds since 1970
 */
export async function momentOn(
  host: HostReader,
  moment: LogMoment,
  options: HostCallOptions = {},
): Promise<number> {
  if ("atMs" in moment) return moment.atMs;
  const { files } = await host.snapshot({ files: ["/proc/stat", "/proc/uptime"] }, options);
  // the moment of its boot follows the clock when that is set
  const [, boot] = /^btime (\d+)$/m.exec(String(files.get("/proc/stat") ?? "")) ?? [];
  const [up] = /^\d+(\.\d+)?/.exec(String(files.get("/proc/uptime") ?? "")) ?? [];
  if (boot === undefined || up === undefined) {
    throw new StowageError(
      "Cannot read the host's clock: /proc/stat and /proc/uptime do not show it; give an absolute time, such as 2026-01-31T12:00:00Z",
      { code: "failed_precondition" },
    );
  }
  return (Number(boot) + Number(up)) * 1000 - moment.agoMs;
}
