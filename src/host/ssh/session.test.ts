import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { afterEach, expect, test, vi } from "vitest";
import { Session } from "./session.ts";

afterEach(() => void vi.useRealTimers());

test.each([
  [12_000, "it has said nothing for 12 s"],
  [3_000, "the other end closed it"],
])("a connection that ssh ends after %s ms without a word: %s", async (ms, why) => {
  vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] });
  const child = new EventEmitter() as ChildProcess;
  const wire = { child, stdin: new PassThrough(), stdout: new PassThrough() };
  const session = new Session(wire, () => "the other end closed it");
  const channel = session.open(["usage", "/"]);
  vi.advanceTimersByTime(ms);
  child.emit("close", 255, null);
  await expect(channel.answer).rejects.toThrow(why);
});
