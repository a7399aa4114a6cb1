import { describe, expect, test } from "vitest";
import { createLimiter, mapLimited } from "./limit.ts";

describe("createLimiter()", () => {
  test("never lets more run than its limit, and runs them in the order asked", async () => {
    const run = createLimiter(3);
    const begun: number[] = [];
    let [now, most] = [0, 0];
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        run(async () => {
          begun.push(at);
          now += 1;
          most = Math.max(most, now);
          await new Promise((resolve) => setImmediate(resolve));
          now -= 1;
        }),
      ),
    );
    expect(most).toBe(3);
    expect(begun).toEqual(Array.from({ length: 20 }, (_, at) => at));
  });

  test("runs what is asked for ahead before all that waits, in the order asked", async () => {
    const run = createLimiter(1);
    const begun: string[] = [];
    const begin = (name: string, ahead = false) => run(() => void begun.push(name), { ahead });
    await Promise.all([
      begin("first"),
      begin("later"),
      begin("ahead", true),
      begin("last"),
      begin("next", true),
    ]);
    expect(begun).toEqual(["first", "ahead", "next", "later", "last"]);
  });

  test("gives its place back when a task fails", async () => {
    const run = createLimiter(1);
    await expect(run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await run(() => 7)).toBe(7);
  });
});

describe("mapLimited()", () => {
  test("keeps the order of the items", async () => {
    expect(await mapLimited([3, 1, 2], 2, async (item) => item * 2)).toEqual([6, 2, 4]);
  });

  test("begins nothing after a failure, and rejects with the first", async () => {
    const begun: number[] = [];
    const work = mapLimited([1, 2, 3], 1, async (item) => {
      begun.push(item);
      if (item === 2) throw new Error("two");
    });
    await expect(work).rejects.toThrow("two");
    expect(begun).toEqual([1, 2]);
  });
});
