import { expect, test } from "vitest";
import { Gate } from "./gate.ts";

test("tasks run together, or alone, in the order asked, whatever becomes of them", async () => {
  const gate = new Gate();
  const said: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => async () => {
    said.push(`${name} begins`);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    said.push(`${name} ends`);
    if (name === "c") throw new Error("c failed");
    return name;
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const all = Promise.allSettled([
    gate.together(task("a")),
    gate.together(task("b")),
    gate.alone(task("c")),
    gate.together(task("d")),
    gate.alone(task("e")),
  ]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(said).toEqual(["a begins", "b begins"]);
  for (const name of ["b", "a", "c", "d", "e"]) await end(name);
  expect(said.slice(2)).toEqual([
    "b ends",
    "a ends",
    "c begins",
    "c ends",
    "d begins",
    "d ends",
    "e begins",
    "e ends",
  ]);
  expect((await all).map(({ status }) => status)).toEqual([
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
  ]);
});
