import { anySignal } from "../../internal/index.ts";
import type { PodIdentity } from "../../model/index.ts";
import type { ChangeOutcome } from "./events.ts";
import type { HostSession } from "./host-session.ts";

const LINES = 20;
const LINE_CHARACTERS_MAX = 500;
const TIMEOUT_MS = 3000;

/** The last lines of a generation that failed; none if they cannot be read quickly. */
export async function lastLines(
  { engine, signal }: Pick<HostSession, "engine" | "signal">,
  identity: PodIdentity,
  redact: (text: string) => string,
): Promise<NonNullable<ChangeOutcome["logs"]>> {
  const lines: { container: string; text: string }[] = [];
  const limit = anySignal([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    for await (const line of engine.logs(identity, undefined, { tail: LINES, signal: limit })) {
      lines.push({
        container: line.container,
        text: redact(line.text).slice(0, LINE_CHARACTERS_MAX),
      });
    }
  } catch {
    // the failure itself matters more than that its log cannot be read
  }
  const counts = new Map<string, number>();
  return lines
    .reverse()
    .filter(({ container }) => {
      const count = (counts.get(container) ?? 0) + 1;
      counts.set(container, count);
      return count <= LINES;
    })
    .reverse();
}
