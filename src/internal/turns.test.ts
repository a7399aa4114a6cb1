import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("tasks of one name take turns, also after one that failed; others do not wait for them", async () => {
  const turns = new Turns();
  const said: string[] = [];
  const task =
    (name: string, isWrong = false) =>
    async () => {
      said.push(`${name} begins`);
      await delay(5);
      said.push(`${name} ends`);
      if (isWrong) throw new Error(name);
      return name;
    };
  const all = await Promise.allSettled([
    turns.take("a", task("first", true)),
    turns.take("a", task("second")),
    turns.take("b", task("other")),
  ]);
  expect(all.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(said.indexOf("second begins")).toBeGreaterThan(said.indexOf("first ends"));
  expect(said.indexOf("other begins")).toBeLessThan(said.indexOf("first ends"));
  expect(await turns.take("a", task("third"))).toBe("third");
});
