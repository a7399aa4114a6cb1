import { expect } from "vitest";
import type { LogOptions } from "../../../src/engine/index.ts";
import type { EngineUnderTest } from "../support/engine-under-test.ts";
import { SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

const MANY = 10_000;

/** Output: nothing is lost, and not everything is kept. */
export function logCases({ it }: Suite): void {
  it("10,000 lines to each of stdout and stderr are all there, each stream's in order", async (test) => {
    const pod = await test.started({
      main: script(`seq 1 ${MANY}; seq ${MANY + 1} ${2 * MANY} >&2`),
    });
    await test.ended(pod);
    await test.until(async () => (await test.lines(pod)).length >= 2 * MANY || undefined);
    const numbers = (await test.lines(pod)).map(Number);
    expect(numbers).toHaveLength(2 * MANY);
    const upTo = (from: number) => Array.from({ length: MANY }, (_, index) => from + index);
    expect(numbers.filter((number) => number <= MANY)).toEqual(upTo(1));
    expect(numbers.filter((number) => number > MANY)).toEqual(upTo(MANY + 1));
  });

  it("what a process prints just before it ends is there, also without a line end", async (test) => {
    const pod = await test.started({ main: script("echo out; echo err >&2; printf last") });
    await test.ended(pod);
    expect([...(await test.output(pod, 3))].sort()).toEqual(["err", "last", "out"]);
  });

  it("tail gives the newest lines", async (test) => {
    const pod = await test.started({ main: script("seq 1 50") });
    await test.ended(pod);
    await test.printed(pod, "50");
    expect(await test.lines(pod, "main", { tail: 3 })).toEqual(["48", "49", "50"]);
    expect(await test.lines(pod, "main", { tail: 0 })).toEqual([]);
    expect(await test.lines(pod, "main", { tail: 1000 })).toHaveLength(50);
  });

  it("lines name their container, and one container's can be had alone", async (test) => {
    const pod = await test.started({ first: script("echo one"), second: script("echo two") });
    await test.printed(pod, "one");
    await test.printed(pod, "two");
    const all: { container: string; text: string }[] = [];
    for await (const line of test.engine.logs(pod.identity, undefined)) all.push({ ...line });
    expect(all).toHaveLength(2);
    expect(all).toContainEqual({ container: "first", text: "one" });
    expect(all).toContainEqual({ container: "second", text: "two" });
    expect(await test.lines(pod, "second")).toEqual(["two"]);
  });

  it("follow goes on with new lines until it is aborted", async (test) => {
    const source =
      "echo early; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo late; printf last";
    const pod = await test.started({ main: script(source) });
    await test.printed(pod, "early");
    const stop = new AbortController();
    const seen: string[] = [];
    const following = follow(test, pod, seen, stop);
    await test.until(async () => seen.includes("early") || undefined);
    expect(await test.exec(pod, "touch /tmp/go")).toBe(0);
    // also what has no line end
    await test.until(async () => seen.includes("last") || undefined);
    stop.abort(new Error("seen enough"));
    await following;
    expect(seen).toEqual(["early", "late", "last"]);
  });

  it("follow ends by itself once it is told that the process did, with all that it printed", async (test) => {
    const source =
      "echo early; while [ ! -e /tmp/go ]; do sleep 0.05; done; seq 1 500; printf last";
    const pod = await test.started({ main: script(source) });
    await test.printed(pod, "early");
    const [seen, ended]: [string[], AbortController] = [[], new AbortController()];
    const options = { follow: true, ended: ended.signal };
    const following = (async () => {
      for await (const { text } of test.engine.logs(pod.identity, "main", options)) seen.push(text);
    })();
    expect(await test.exec(pod, "touch /tmp/go")).toBe(0);
    await test.ended(pod);
    ended.abort();
    await following;
    const numbers = Array.from({ length: 500 }, (_, index) => String(index + 1));
    expect(seen).toEqual(["early", ...numbers, "last"]);
  });

  it("follow ends with its generation", async (test) => {
    const pod = await test.started({ main: script("echo early; exec sleep 1000") });
    await test.printed(pod, "early");
    const seen: string[] = [];
    const following = follow(test, pod, seen, new AbortController());
    await test.until(async () => seen.includes("early") || undefined);
    await test.engine.stop(pod.identity, { containers: { main: { gracePeriodMs: 0 } } });
    await test.engine.remove(pod.identity);
    await following;
    expect(seen).toEqual(["early"]);
  });

  it("tail and follow together give the newest lines, then new ones", async (test) => {
    const source = "seq 1 9; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo late; sleep 1000";
    const pod = await test.started({ main: script(source) });
    await test.printed(pod, "9");
    const stop = new AbortController();
    const seen: string[] = [];
    const following = follow(test, pod, seen, stop, { tail: 2 });
    await test.until(async () => seen.includes("9") || undefined);
    await test.exec(pod, "touch /tmp/go");
    await test.until(async () => seen.includes("late") || undefined);
    stop.abort();
    await following;
    expect(seen).toEqual(["8", "9", "late"]);
  });

  it("since leaves out what was written before, at a moment or so long ago, and tail counts the rest", async (test) => {
    const { pod, atMs } = await wroteTwice(test);
    expect(await test.lines(pod, "main", { since: { atMs } })).toEqual(["late", "later"]);
    expect(await test.lines(pod, "main", { since: { atMs }, tail: 1 })).toEqual(["later"]);
    // on a busy machine it may be asked for later than it was reckoned
    const areRecent = async (more: LogOptions): Promise<true | undefined> => {
      const since = { agoMs: Date.now() - atMs };
      const lines = await test.lines(pod, "main", { since, ...more });
      return lines.join() === "late,later" || undefined;
    };
    await test.until(() => areRecent({}));
    await test.until(() => areRecent({ tail: 9 }));
    const all = ["early", "late", "later"];
    expect(await test.lines(pod, "main", { since: { agoMs: 3_600_000 } })).toEqual(all);
    expect(await test.lines(pod, "main", { since: { atMs: Date.now() + 60_000 } })).toEqual([]);
  });

  it("since and follow together begin with the first new line", async (test) => {
    const pod = await test.started({ main: script(WAITING) });
    await test.printed(pod, "early");
    const atMs = await twoSecondsLater(test);
    const stop = new AbortController();
    const seen: string[] = [];
    const following = follow(test, pod, seen, stop, { since: { atMs } });
    await test.exec(pod, "touch /tmp/go");
    await test.until(async () => seen.includes("later") || undefined);
    stop.abort();
    await following;
    expect(seen).toEqual(["late", "later"]);
  });

  it("what is kept is bounded, and it is the newest", async (test) => {
    const logging = { maxBytes: 4096, maxFiles: 2 };
    const pod = await test.started({ main: script("seq 1 200000", { logging }) });
    await test.ended(pod);
    await test.printed(pod, "200000");
    const numbers = (await test.lines(pod)).map(Number);
    const bytes = numbers.join("\n").length;
    // A file may grow by what is being written when its size is looked at.
    expect(bytes).toBeLessThan(128 * 1024);
    expect(bytes).toBeGreaterThan(0);
    const first = numbers[0] ?? 0;
    expect(numbers).toEqual(numbers.map((_, index) => first + index));
  });

  it("nothing is kept where that is declared", async (test) => {
    const pod = await test.started({ main: script("echo unseen", { logging: { mode: "none" } }) });
    await test.ended(pod);
    expect(await test.lines(pod)).toEqual([]);
  });

  it("output is kept over a stop and a new start", async (test) => {
    const pod = await test.started({ main: script("echo run; sleep 1000") });
    await test.printed(pod, "run");
    await test.engine.stop(pod.identity, { containers: { main: { gracePeriodMs: 0 } } });
    expect(await test.lines(pod)).toEqual(["run"]);
    await test.engine.start(pod);
    await test.until(async () => (await test.lines(pod)).length === 2 || undefined);
    expect(await test.lines(pod)).toEqual(["run", "run"]);
  });

  it("reading the output of what does not exist is not_found", async (test) => {
    await expect(test.lines(test.pod({ main: SERVER }))).rejects.toMatchObject({
      code: "not_found",
    });
  });
}

const WAITING =
  "echo early; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo late; echo later; sleep 1000";

/** A pod that printed a line, and others at a moment that is told, or just after. */
async function wroteTwice(test: EngineUnderTest) {
  const pod = await test.started({ main: script(WAITING) });
  await test.printed(pod, "early");
  const atMs = await twoSecondsLater(test);
  await test.exec(pod, "touch /tmp/go");
  await test.printed(pod, "later");
  return { pod, atMs };
}

/** Times of lines are known to the second. */
async function twoSecondsLater(test: EngineUnderTest): Promise<number> {
  const from = Date.now();
  await test.until(async () => Date.now() - from >= 2000 || undefined);
  return Date.now();
}

async function follow(
  test: EngineUnderTest,
  pod: Parameters<EngineUnderTest["lines"]>[0],
  seen: string[],
  stop: AbortController,
  wanted: LogOptions = {},
): Promise<void> {
  const options = { follow: true, signal: stop.signal, ...wanted };
  try {
    for await (const { text } of test.engine.logs(pod.identity, "main", options)) seen.push(text);
  } catch (error) {
    if (error !== stop.signal.reason) throw error;
  }
}
