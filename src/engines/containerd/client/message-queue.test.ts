import { expect, test } from "vitest";
import { MessageQueue } from "./message-queue.ts";

test("messages come in order, and the failure only after the last of them", async () => {
  const queue = new MessageQueue<number>();
  queue.push(1);
  queue.push(2);
  queue.end({ error: new Error("broken") });
  queue.end();
  expect(await queue.next()).toEqual({ done: false, value: 1 });
  expect(await queue.next()).toEqual({ done: false, value: 2 });
  await expect(queue.next()).rejects.toThrow("broken");
});

test("a reader that waits gets the next message, then the end", async () => {
  const queue = new MessageQueue<number>();
  const first = queue.next();
  queue.push(1);
  expect(await first).toEqual({ done: false, value: 1 });
  const second = queue.next();
  queue.end();
  expect(await second).toEqual({ done: true, value: undefined });
});

test("the level tells how many messages wait", async () => {
  const levels: number[] = [];
  const queue = new MessageQueue<number>((level) => levels.push(level));
  queue.push(1);
  queue.push(2);
  await queue.next();
  await queue.next();
  expect(levels).toEqual([1, 2, 1, 0]);
});
