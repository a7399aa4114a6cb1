import { connect } from "../../../src/engines/containerd/client/connection.ts";
import type { ContainerdClient } from "../../../src/engines/containerd/client/containerd-client.ts";
import { importImage } from "../../../src/engines/containerd/images/import-image.ts";
import { openLocalHost } from "../../../src/host/index.ts";
import { openContent } from "./image-content.ts";

/**
 * Imports one image in a process of its own, which dies by SIGKILL at the message that its last
 * argument counts to, or is killed from outside; prints `ready` first and `done` last.
 */
const [address = "", namespace = "", layout = "", reference = "", dieAt = "0"] =
  process.argv.slice(2);
let messages = 0;

function countMessage(): void {
  messages += 1;
  if (messages === Number(dieAt)) process.kill(process.pid, "SIGKILL");
}

function mortal(client: ContainerdClient): ContainerdClient {
  return {
    namespace: client.namespace,
    unary: async (method, request, options) => {
      countMessage();
      return client.unary(method, request, options);
    },
    serverStream: (method, request, options) => {
      countMessage();
      return client.serverStream(method, request, options);
    },
    bidi: (method, options) => {
      const call = client.bidi(method, options);
      const send = call.send.bind(call);
      call.send = async (message) => {
        countMessage();
        await send(message);
      };
      return call;
    },
    inNamespace: (name) => mortal(client.inNamespace(name)),
    withLease: (leaseId) => mortal(client.withLease(leaseId)),
    until: (signal) => mortal(client.until(signal)),
  };
}

async function main(): Promise<void> {
  await using connection = await connect({ host: openLocalHost(), socketPath: address });
  const { source, content } = await openContent(layout, reference);
  await using _source = source;
  process.stdout.write("ready\n");
  await importImage(mortal(connection.inNamespace(namespace)), content, {
    name: reference,
    labels: { a: "1" },
  });
  process.stdout.write(`done ${messages}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error}\n`);
  process.exitCode = 1;
});
