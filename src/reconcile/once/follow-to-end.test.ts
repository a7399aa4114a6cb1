import { expect, test } from "vitest";
import type { Engine, LogLine, LogOptions } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { followToEnd } from "./follow-to-end.ts";

const IDENTITY = { owner: "acme", fleet: "shop", host: "a", pod: "web-run-1", generation: 1 };

/** An engine whose log breaks off after so many lines each time it is read; it has ended with its last line, or `hasEnded` before. */
function engineOf(
  lines: readonly string[],
  breaks: readonly number[],
  error: Error,
  hasEnded = false,
) {
  let reads = 0;
  async function* logs(_: unknown, container = "", options: LogOptions = {}) {
    const end = breaks[reads] ?? lines.length;
    reads += 1;
    for (const text of lines.slice(0, end)) yield { container, text } satisfies LogLine;
    if (end < lines.length) throw error;
    hasEnded = true;
    await new Promise<void>((done) => {
      if (options.ended?.aborted === true) done();
      options.ended?.addEventListener("abort", () => done());
    });
  }
  const observe = async () => {
    const state = hasEnded ? { state: "exited", exitCode: 3 } : { state: "running" };
    return { pods: [{ ...IDENTITY, containers: { main: state } }], images: [], leftovers: [] };
  };
  return { logs, observe } as unknown as Engine;
}

async function follow(engine: Engine, lines: string[]): Promise<number> {
  const { signal } = new AbortController();
  return await followToEnd(
    { engine, identity: IDENTITY, container: "main", signal },
    async ({ text }) => void lines.push(text),
  );
}

test("a log that breaks off is asked for again, and each line is told once", async () => {
  const away = new StowageError("The connection was lost", { code: "unavailable" });
  const lines: string[] = [];
  expect(await follow(engineOf(["a", "a", "b", "c"], [2, 1, 3], away), lines)).toBe(3);
  expect(lines).toEqual(["a", "a", "b", "c"]);
});

test("the rest of a log that stays away ends it with the reason once its process has ended", async () => {
  const away = new StowageError("The connection was lost", { code: "unavailable" });
  const engine = engineOf(["a"], [0, 0, 0, 0, 0, 0, 0, 0], away, true);
  await expect(follow(engine, [])).rejects.toBe(away);
});

test("a log that cannot be read ends it with the reason", async () => {
  const broken = new StowageError("It cannot be read", { code: "permission_denied" });
  const lines: string[] = [];
  await expect(follow(engineOf(["a", "b"], [1], broken), lines)).rejects.toBe(broken);
  expect(lines).toEqual(["a"]);
});
