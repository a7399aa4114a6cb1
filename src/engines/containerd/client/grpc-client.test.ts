import type { Client } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { Tasks } from "../../../gen/containerd/services/tasks/v1/tasks_pb.ts";
import { GrpcClient } from "./grpc-client.ts";

test("a client that works until a signal sends nothing more, and what was sent is waited for", async () => {
  const calls: string[] = [];
  const lost = new AbortController();
  const makeUnaryRequest = (path: string, ...rest: readonly unknown[]) => {
    calls.push(path.split("/").at(-1) ?? "");
    const answer = rest.at(-1) as (error: null, message: object) => void;
    setImmediate(() => {
      lost.abort(new Error("lost the lock"));
      answer(null, { process: { containerId: "c" } });
    });
    return { cancel: () => {} };
  };
  const client = new GrpcClient({
    channel: { makeUnaryRequest } as unknown as Client,
    newMetadata: () => ({ set: () => {} }) as never,
    socketPath: "/c.sock",
    namespace: "n",
  }).until(lost.signal);
  const request = { containerId: "c" };
  const { process } = await client.unary(Tasks.method.get, request, { doing: "look" });
  expect(process).toMatchObject({ containerId: "c" });
  for (const next of [client, client.withLease("l")]) {
    const kill = next.unary(Tasks.method.kill, request, { doing: "kill" });
    await expect(kill).rejects.toThrow("lost the lock");
  }
  expect(calls).toEqual(["Get"]);
});
