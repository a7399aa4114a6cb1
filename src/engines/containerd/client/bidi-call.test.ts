import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { Content } from "../../../gen/containerd/services/content/v1/content_pb.ts";
import { BidiCall } from "./bidi-call.ts";

const { input, output } = Content.method.write;

/** A stream whose other side is this test. */
class OpenedStream extends EventEmitter {
  cancelled = 0;
  write(): boolean {
    return true;
  }
  cancel(): void {
    this.cancelled += 1;
    this.emit("error", Object.assign(new Error("cancelled"), { code: 1 }));
  }
}

function open(signal: AbortSignal) {
  const stream = new OpenedStream();
  const place = { rpc: "Write", doing: "write", target: "containerd" };
  const call = new BidiCall<typeof input, typeof output>(stream as never, input, place as never, {
    doing: "write",
    signal,
  });
  return { stream, call };
}

test("an abort does not cancel a stream that the daemon is opening, and is thrown when it is open", async () => {
  const stop = new AbortController();
  const { stream, call } = open(stop.signal);
  await call.send({ ref: "a" });
  const answer = call.receive();
  stop.abort(new Error("enough"));
  expect(stream.cancelled).toBe(0);
  stream.emit("data", { offset: 0n });
  await expect(answer).rejects.toThrow("enough");
  await call[Symbol.asyncDispose]();
  expect(stream.cancelled).toBe(1);
});

test("an abort cancels an open stream at once", async () => {
  const stop = new AbortController();
  const { stream, call } = open(stop.signal);
  stream.emit("data", { offset: 0n });
  await call.receive();
  const answer = call.receive();
  stop.abort(new Error("enough"));
  expect(stream.cancelled).toBe(1);
  await expect(answer).rejects.toThrow("enough");
});
