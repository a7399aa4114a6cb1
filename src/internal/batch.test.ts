import { describe, expect, test } from "vitest";
import { Batch } from "./batch.ts";

/** A batch whose commands end when they are told to. */
function held(lanes = 1, most = 10, letsGo = true) {
  const commands: { ids: readonly string[]; end: (error?: Error) => void }[] = [];
  const batch = new Batch<string>(
    (ids) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => (error ? reject(error) : resolve(ids.join(" ")));
        commands.push({ ids, end });
      }),
    { lanes, most, letsGo },
  );
  return { batch, commands };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("Batch", () => {
  test("who asks while a command runs shares the next one, and gets no older answer", async () => {
    const { batch, commands } = held();
    const first = batch.ask(["a"]);
    const others = [batch.ask(["a"]), batch.ask(["b", "c"])];
    expect(commands.map(({ ids }) => ids)).toEqual([["a"]]);
    commands[0]?.end();
    await expect(first).resolves.toBe("a");
    await turn();
    expect(commands[1]?.ids).toEqual(["a", "b", "c"]);
    commands[1]?.end();
    await expect(Promise.all(others)).resolves.toEqual(["a b c", "a b c"]);
  });

  test("of those that fail together each is tried alone, and has its own error", async () => {
    const { batch, commands } = held();
    const asked = ["x", "good", "bad"].map((id) => batch.ask([id]));
    const outcomes = Promise.allSettled(asked);
    commands[0]?.end();
    await turn();
    commands[1]?.end(new Error("all"));
    await turn();
    commands[2]?.end();
    await turn();
    commands[3]?.end(new Error("of bad"));
    expect((await outcomes).map((each) => each.status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
    ]);
    await expect(asked[2]).rejects.toThrow("of bad");
  });

  test("lanes run at once, and none serves more askers than it may", async () => {
    const { batch, commands } = held(2, 2);
    const asked = ["a", "b", "c", "d", "e"].map((id) => batch.ask([id]));
    expect(commands).toHaveLength(2);
    commands[0]?.end();
    await turn();
    expect(commands[2]?.ids).toEqual(["c", "d"]);
    for (const at of [1, 2]) commands[at]?.end();
    await turn();
    commands[3]?.end();
    await expect(Promise.all(asked)).resolves.toHaveLength(5);
  });

  test("an abort ends the waiting of who gave up, and nobody else's", async () => {
    const { batch, commands } = held();
    const stop = new AbortController();
    const asked = batch.ask(["a"], stop.signal);
    const queued = batch.ask(["b"], stop.signal);
    const other = batch.ask(["c"]);
    stop.abort("enough");
    await expect(asked).rejects.toBe("enough");
    await expect(queued).rejects.toBe("enough");
    commands[0]?.end();
    await turn();
    expect(commands[1]?.ids).toEqual(["c"]);
    commands[1]?.end();
    await expect(other).resolves.toBe("c");
  });

  test("where a command changes something, who gave up is told when it has ended", async () => {
    const { batch, commands } = held(1, 10, false);
    const stop = new AbortController();
    let ended = false;
    const asked = batch.ask(["a"], stop.signal).finally(() => {
      ended = true;
    });
    stop.abort("enough");
    await turn();
    expect(ended).toBe(false);
    commands[0]?.end();
    await expect(asked).rejects.toBe("enough");
  });
});
